/// The number of a name's lock: FNV-1a of its bytes, 64 bits, without the sign. Programs in other languages that do the
/// same are excluded, too.
pub(super) fn lock_number(name: &str) -> i64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let hash = name.bytes().fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    (hash & (u64::MAX >> 1)).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::lock_number;

    /// LE-60: the numbers are those of any other implementation of FNV-1a, masked to 63 bits.
    #[test]
    fn golden_vectors() {
        let longest = "n".repeat(100);
        for (name, number) in [
            ("singleton:cron", 3338307566072877476),
            ("singleton:reconciler", 8848752923186269626),
            ("singleton:outbox", 805528216298134725),
            ("singleton:gc", 6393149916219442010),
            ("cron", 1330371207537429353),
            ("a", 3414815163700866188),
            ("b", 3414818462235750821),
            ("A", 3414850348072968940),
            ("reconciler/eu-west-1", 7304532344957541804),
            ("größe", 3982604971609768154),
            ("日本語", 7971057660870324103),
            ("🚢", 9153198148716937748),
            ("with space", 3432753902736173735),
            (&longest, 8758950357283697653),
        ] {
            assert_eq!(lock_number(name), number, "{name}");
        }
    }
}
