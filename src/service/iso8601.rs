//! The services' time stamps: `2021-07-24T10:34:32.000Z` (smh §1.1), read leniently, written without milliseconds (smh §1.4, koodrive §3.1); and the
//! basic form `20210724T103432Z` (koodrive §2, §4.1).

/// Days since 1970 of a date of the proleptic Gregorian calendar.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date of that many days since 1970.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// Takes exactly `digits` digits from the front.
fn number(text: &mut &str, digits: usize) -> Option<i64> {
    let head = text.get(..digits).filter(|head| head.bytes().all(|b| b.is_ascii_digit()))?;
    *text = text.get(digits..)?;
    head.parse().ok()
}

/// Takes that one character from the front.
fn mark(text: &mut &str, marks: &[char]) -> Option<()> {
    *text = text.strip_prefix(marks)?;
    Some(())
}

/// Milliseconds since 1970; fractions of any length and zones `Z`, `+hh:mm`, `+hhmm` are read.
pub(super) fn parse(text: &str) -> Option<i64> {
    let rest = &mut text.trim();
    let year = number(rest, 4)?;
    mark(rest, &['-'])?;
    let month = number(rest, 2)?;
    mark(rest, &['-'])?;
    let day = number(rest, 2)?;
    mark(rest, &['T', 't', ' '])?;
    let hour = number(rest, 2)?;
    mark(rest, &[':'])?;
    let minute = number(rest, 2)?;
    mark(rest, &[':'])?;
    let second = number(rest, 2)?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut ms = 0;
    if mark(rest, &['.', ',']).is_some() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (fraction, after) = rest.split_at_checked(digits).filter(|(fraction, _)| !fraction.is_empty())?;
        for (digit, weight) in fraction.bytes().zip([100, 10, 1]) {
            ms += i64::from(digit - b'0') * weight;
        }
        *rest = after;
    }
    let offset_minutes = match *rest {
        "Z" | "z" => 0,
        _ => {
            let sign = if rest.starts_with('-') { -1 } else { 1 };
            mark(rest, &['+', '-'])?;
            let hours = number(rest, 2)?;
            let _ = mark(rest, &[':']);
            let minutes = number(rest, 2)?;
            if !rest.is_empty() || hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 60 + minutes)
        }
    };
    let seconds = days_of(year, month, day) * 86_400 + hour * 3_600 + (minute - offset_minutes) * 60 + second;
    Some(seconds * 1_000 + ms)
}

/// `2022-07-26T02:58:09Z`; `None` for years that four digits can't say.
pub(super) fn format(unix_ms: i64) -> Option<String> {
    let seconds = unix_ms.div_euclid(1_000);
    let (year, month, day) = date_of(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    (0..=9999).contains(&year).then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

/// `2022-07-26 02:58:09`, the same moment; `None` for years that four digits can't say.
pub(super) fn format_with_blank(unix_ms: i64) -> Option<String> {
    format(unix_ms).map(|text| text.replace('T', " ").replace('Z', ""))
}

/// Milliseconds since 1970 of `20210724T103432Z`, and of nothing else.
pub(super) fn parse_basic(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    if date.len() != 8 || time.len() != 6 {
        return None;
    }
    let (year, month, day) = (date.get(..4)?, date.get(4..6)?, date.get(6..)?);
    let (hour, minute, second) = (time.get(..2)?, time.get(2..4)?, time.get(4..)?);
    parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

/// `20210724T103432Z`; `None` for years that four digits can't say.
pub(super) fn format_basic(unix_ms: i64) -> Option<String> {
    format(unix_ms).map(|text| text.replace(['-', ':'], ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_service_writes_is_read() {
        let at = 1_627_122_872_000;
        for text in [
            "2021-07-24T10:34:32.000Z",
            "2021-07-24T10:34:32Z",
            "2021-07-24T10:34:32+00:00",
            "2021-07-24T12:34:32.000000+0200",
            " 2021-07-24 10:34:32.0Z ",
        ] {
            assert_eq!(parse(text), Some(at), "{text}");
        }
        assert_eq!(parse("2021-07-24T10:34:32.25Z"), Some(at + 250));
        for text in [
            "",
            "2021",
            "2021-13-24T10:34:32Z",
            "2021-07-24T10:34:32",
            "2021-07-24T10:34:32.Z",
            "２021-07-24T10:34:32Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_basic_form_is_read_strictly() {
        assert_eq!(parse_basic("20240621T082041Z"), Some(1_718_958_041_000));
        for text in [
            "",
            "Z",
            "TZ",
            "20240621T082041",
            "2024-06-21T08:20:41Z",
            "20240621T0820410Z",
            "2024062éT082041Z",
            "20241321T082041Z",
        ] {
            assert_eq!(parse_basic(text), None, "{text}");
        }
    }

    #[test]
    fn years_beyond_four_digits_are_not_said() {
        assert_eq!(format(i64::MAX), None);
        assert_eq!(format(i64::MIN), None);
        assert_eq!(format(1_658_804_289_999).as_deref(), Some("2022-07-26T02:58:09Z"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in -62_167_219_200i64..253_402_300_800) {
            let text = format(seconds * 1_000).expect("four digits");
            prop_assert_eq!(parse(&text), Some(seconds * 1_000));
            let basic = format_basic(seconds * 1_000).expect("four digits");
            prop_assert_eq!(parse_basic(&basic), Some(seconds * 1_000));
        }

        #[test]
        fn nothing_panics(text in ".{0,40}") {
            let _ = (parse(&text), parse_basic(&text));
        }
    }
}
