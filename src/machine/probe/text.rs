use std::sync::Arc;

/// How many bytes of an error are kept at most.
pub(crate) const MOST_BYTES: usize = 512;

/// The part of `text` that is kept, cut at a character boundary.
pub(crate) fn cut(text: &str) -> Arc<str> {
    let mut end = text.len().min(MOST_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Arc::from(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PR-08: up to 512 bytes are kept, and no character is cut in two.
    #[test]
    fn cuts_where_a_character_ends() {
        assert_eq!(&*cut(""), "");
        assert_eq!(&*cut("refused"), "refused");
        assert_eq!(&*cut(&"a".repeat(512)), "a".repeat(512));
        assert_eq!(&*cut(&"a".repeat(513)), "a".repeat(512));
        // Characters of two, three and four bytes across the limit, at each of their bytes.
        for character in ["é", "€", "🚢"] {
            for before in 512 - character.len()..=513 {
                let text = format!("{}{character}{character}", "a".repeat(before));
                let kept = cut(&text);
                assert!(text.starts_with(&*kept) && kept.len() <= 512, "{before}");
                assert!(kept.len() > 512 - character.len(), "no more is cut than has to be: {before}");
            }
        }
    }
}
