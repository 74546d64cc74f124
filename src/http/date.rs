use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAYS: [(&str, &str); 7] = [
    ("Mon", "Monday"),
    ("Tue", "Tuesday"),
    ("Wed", "Wednesday"),
    ("Thu", "Thursday"),
    ("Fri", "Friday"),
    ("Sat", "Saturday"),
    ("Sun", "Sunday"),
];

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The last second of the year 9999, which no form can exceed.
const LAST: i64 = 253_402_300_799;

/// The average length of a Gregorian year, in seconds.
const YEAR: i64 = 31_556_952;

/// An HTTP date in any of the three forms of RFC 9110, section 5.6.7, in seconds since 1970. The clock is read only for
/// the century of a two-digit year. The day of the week is not verified.
///
/// Nothing here can panic, whatever the text: it is sliced with `get`, and numbers have at most four digits.
pub(super) fn parse(text: &str, now: impl FnOnce() -> SystemTime) -> Option<i64> {
    let Some((day_name, date)) = text.split_once(", ") else {
        return asctime(text);
    };
    if DAYS.iter().any(|(short, _)| *short == day_name) {
        return fixdate(date);
    }
    if DAYS.iter().any(|(_, long)| *long == day_name) {
        return rfc850(date, seconds_of(now()));
    }
    None
}

/// `06 Nov 1994 08:49:37 GMT`
fn fixdate(date: &str) -> Option<i64> {
    let mut words = date.strip_suffix(" GMT")?.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let second = time_of_day(time)?;
    let date = seconds(number(year, 4)?, month_of(month)?, number(day, 2)?, second);
    date.filter(|_| words.next().is_none())
}

/// `06-Nov-94 08:49:37 GMT`: the latest such date that is not more than 50 years ahead.
fn rfc850(date: &str, now: i64) -> Option<i64> {
    let (date, time) = date.strip_suffix(" GMT")?.split_once(' ')?;
    let mut parts = date.split('-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let (day, month, year) = (number(day, 2)?, month_of(month)?, number(year, 2)?);
    let second = time_of_day(time).filter(|_| parts.next().is_none())?;
    // Rounded up to the century of this year or the next, and counted down from there.
    let now = now.clamp(0, LAST);
    let century = now / YEAR / 100 + 21;
    let mut dates = (0..3).filter_map(|back| seconds((century - back) * 100 + year, month, day, second));
    dates.find(|date| *date <= now + 50 * YEAR)
}

/// `Sun Nov  6 08:49:37 1994`
fn asctime(text: &str) -> Option<i64> {
    let (day_name, date) = text.split_once(' ')?;
    let (month, date) = date.split_once(' ')?;
    let (day, date) = (date.get(..2)?, date.get(2..)?.strip_prefix(' ')?);
    let (time, year) = date.split_once(' ')?;
    let day = match day.strip_prefix(' ') {
        Some(day) => number(day, 1)?,
        None => number(day, 2)?,
    };
    let date = seconds(number(year, 4)?, month_of(month)?, day, time_of_day(time)?);
    date.filter(|_| DAYS.iter().any(|(short, _)| *short == day_name))
}

fn month_of(name: &str) -> Option<i64> {
    (1..).zip(MONTHS).find(|(_, month)| *month == name).map(|(number, _)| number)
}

/// `08:49:37`; a leap second is the next second.
fn time_of_day(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(|part| number(part, 2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let is_one = parts.next().is_none() && hour < 24 && minute < 60 && second <= 60;
    is_one.then_some(hour * 3600 + minute * 60 + second)
}

/// Exactly this many digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    let is_one = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_one { text.parse().ok() } else { None }
}

fn seconds(year: i64, month: i64, day: i64, second_of_day: i64) -> Option<i64> {
    let first = days(year, month);
    let next = if month == 12 { days(year + 1, 1) } else { days(year, month + 1) };
    let is_day = 1 <= day && day <= next - first;
    is_day.then_some((first + day - 1) * 86_400 + second_of_day)
}

/// Days from 1970 to the first of a month. The year begins in March here, so that a leap day is its last day and the
/// months before it always have the same lengths.
fn days(year: i64, month: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 1 March of the year 0 is 719,468 days before 1970.
    year * 365 + leap_days + (153 * month + 2) / 5 - 719_468
}

fn seconds_of(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sunday, 6 November 1994, 08:49:37: the example in RFC 9110.
    const EXAMPLE: i64 = 784_111_777;

    fn read(text: &str, now: i64) -> Option<i64> {
        parse(text, || UNIX_EPOCH + Duration::from_secs(now.unsigned_abs()))
    }

    /// HC-11: the three forms, each with one of its edge cases.
    #[test]
    fn forms() {
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE),
            ("Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE),
            ("Sun Nov  6 08:49:37 1994", EXAMPLE),
            ("Wed Nov 16 08:49:37 1994", EXAMPLE + 10 * 86_400),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
            ("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800),
            ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
            ("Sat, 01 Jan 0000 00:00:00 GMT", -62_167_219_200),
        ] {
            assert_eq!(read(text, EXAMPLE), Some(expected), "{text}");
        }
    }

    /// HC-11: a two-digit year is at most 50 years ahead.
    #[test]
    fn years_of_two_digits() {
        let year = |number: i64| days(number, 1) * 86_400;
        for (now, digits, expected) in [
            (1994, 94, 1994),
            (1994, 44, 2044),
            (1994, 45, 1945),
            (2026, 26, 2026),
            (2026, 75, 2075),
            (2026, 77, 1977),
            (2026, 94, 1994),
            (2026, 0, 2000),
            (1999, 0, 2000),
            (1999, 99, 1999),
            (2070, 19, 2119),
            (2099, 48, 2148),
            (2100, 51, 2051),
        ] {
            let text = format!("Monday, 01-Jan-{digits:02} 00:00:00 GMT");
            // In the middle of the year, so that the fractions of a day in a century do not matter.
            assert_eq!(read(&text, year(now) + YEAR / 2), Some(year(expected)), "{now} {digits}");
        }
    }

    /// HC-11: texts in none of the three forms, and days that do not exist.
    #[test]
    fn others() {
        for text in [
            "",
            ",",
            ", ",
            "Sun",
            "Sun, ",
            "Sun, 06 Nov 1994",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Son, 06 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 29 Feb 2023 08:49:37 GMT",
            "Sun, 29 Feb 2100 08:49:37 GMT",
            "Sun, 06 Nov +994 08:49:37 GMT",
            "Sun, 06 Nov 11994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37 1 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sunday, 06-Nov-94-1 08:49:37 GMT",
            "Sunday, 31-Nov-94 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov  6 08:49:37 94",
            "Sun Nov é6 08:49:37 1994",
            "Son Nov  6 08:49:37 1994",
            "Sun, 06 Növ 1994 08:49:37 GMT",
        ] {
            assert_eq!(read(text, EXAMPLE), None, "{text:?}");
        }
    }

    /// HC-11: the clock may show any time.
    #[test]
    fn any_clock() {
        let text = "Sunday, 06-Nov-94 08:49:37 GMT";
        let far = Duration::from_secs(i64::MAX as u64);
        for now in [UNIX_EPOCH.checked_sub(far), UNIX_EPOCH.checked_add(far)].into_iter().flatten() {
            let _any = parse(text, || now);
        }
    }

    proptest! {
        /// HC-11: every second of the calendar, as other implementations format it, reads as the same second in all
        /// three forms.
        #[test]
        fn as_others_write_it(second in 0..253_402_300_800_i64) {
            let time = UNIX_EPOCH + Duration::from_secs(second.unsigned_abs());
            let text = httpdate::fmt_http_date(time);
            prop_assert_eq!(read(&text, 0), Some(second));

            let (day, month, year, clock) = (&text[5..7], &text[8..11], &text[12..16], &text[17..25]);
            let spaced = day.strip_prefix('0').map_or_else(|| day.to_owned(), |digit| format!(" {digit}"));
            prop_assert_eq!(read(&format!("{} {month} {spaced} {clock} {year}", &text[..3]), 0), Some(second));

            let long = DAYS.iter().find(|(short, _)| *short == &text[..3]).map_or("", |(_, long)| long);
            let old = format!("{long}, {day}-{month}-{} {clock} GMT", &year[2..]);
            for now in [second, second + 49 * YEAR, second - 49 * YEAR].into_iter().filter(|now| *now >= 0) {
                prop_assert_eq!(read(&old, now), Some(second), "{} {}", old, now);
            }
        }

        /// HC-11: no text panics.
        #[test]
        fn any_text(text in "([A-Z][a-z]{2,8},? ?)?[0-9 :,-]{0,12}[A-Za-z]{0,3}[0-9 :-]{0,16}( GMT)?|\\PC{0,40}", now: u32) {
            let _any = read(&text, now.into());
        }
    }
}
