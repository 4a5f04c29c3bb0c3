//! The service's clock: the machine's, moved by an offset that a test sets.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time that the service believes it is.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_ms: AtomicI64,
}

impl Clock {
    pub(crate) fn set_offset_ms(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
    }

    pub(crate) fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Milliseconds since 1970, by the service.
    pub(crate) fn now_ms(&self) -> i64 {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(real.as_millis()).unwrap_or(i64::MAX).saturating_add(self.offset_ms()).max(0)
    }
}

/// `2021-07-24T10:34:32.000Z`
pub(crate) fn iso8601(ms: i64) -> String {
    let c = Civil::of(ms);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour, c.minute, c.second, c.millis)
}

/// `20210724T103432Z`, the form of `x-amz-date`.
pub(crate) fn compact(ms: i64) -> String {
    let c = Civil::of(ms);
    format!("{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
}

/// What [`compact`] writes.
pub(crate) fn parse_compact(text: &str) -> Option<i64> {
    let shape = |(c, like): (u8, u8)| if like == b'0' { c.is_ascii_digit() } else { c == like };
    if text.len() != 16 || !text.bytes().zip(*b"00000000T000000Z").all(shape) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    let real = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    let shifted_year = if month > 2 { year } else { year - 1 };
    let shifted_month = (month + 9) % 12;
    let days = 365 * shifted_year + shifted_year / 4 - shifted_year / 100
        + shifted_year / 400
        + (153 * shifted_month + 2) / 5
        + day
        - 1
        - 719_468;
    real.then_some(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000)
}

/// `Sat, 24 Jul 2021 10:34:32 GMT`, the form of `Date`.
pub(crate) fn http_date(ms: i64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
}

struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    millis: i64,
}

impl Civil {
    /// Days to a date, by counting in 400-year eras that begin in March.
    fn of(ms: i64) -> Self {
        let days = ms.div_euclid(86_400_000) + 719_468;
        let in_day = ms.rem_euclid(86_400_000);
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
            hour: in_day / 3_600_000,
            minute: in_day / 60_000 % 60,
            second: in_day / 1_000 % 60,
            millis: in_day % 1_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_calendar_dates() {
        assert_eq!(iso8601(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso8601(1_627_122_872_007), "2021-07-24T10:34:32.007Z");
        assert_eq!(iso8601(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(compact(1_627_122_872_000), "20210724T103432Z");
        for ms in [0, 951_782_400_000, 1_627_122_872_000, 4_107_542_399_000] {
            assert_eq!(parse_compact(&compact(ms)), Some(ms));
        }
        assert_eq!(parse_compact("20211324T103432Z"), None);
        assert_eq!(parse_compact("2021-07-24T10:34"), None);
        assert_eq!(http_date(1_627_122_872_000), "Sat, 24 Jul 2021 10:34:32 GMT");
    }
}
