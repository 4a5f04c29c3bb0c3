//! `partNumberRange` of the private deployment (smh §3.3).

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::switches::Shape;

const NUMBERS_MAX: usize = 100;
pub(crate) const PART_NUMBER_MAX: u32 = 10_000;

/// The part numbers that are asked for: `"1,8-10"` or `[1, 8, 9, 10]`.
pub(crate) fn part_number_range(body: &Map<String, Value>, shape: Shape) -> Result<Vec<u32>, Refusal> {
    let bad = || Refusal::param("`partNumberRange` is missing or is not a range such as \"1,8-10\" or [1, 8]");
    match (shape, body.get("partNumberRange")) {
        (Shape::Text, Some(Value::Array(_))) => return Err(Refusal::param("`partNumberRange` must be a string")),
        (Shape::Numbers, Some(Value::String(_))) => return Err(Refusal::param("`partNumberRange` must be an array")),
        _ => {}
    }
    let mut numbers = Vec::new();
    match body.get("partNumberRange") {
        Some(Value::String(text)) => {
            for piece in text.split(',') {
                let (from, to) = piece.split_once('-').unwrap_or((piece, piece));
                let parse = |text: &str| text.trim().parse::<u32>().map_err(|_| bad());
                let (from, to) = (parse(from)?, parse(to)?);
                if from > to || to - from >= u32::try_from(NUMBERS_MAX).unwrap_or(u32::MAX) {
                    return Err(Refusal::param("a range is empty or has more than 100 numbers"));
                }
                numbers.extend(from..=to);
            }
        }
        Some(Value::Array(list)) => {
            for number in list {
                numbers.push(number.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or_else(bad)?);
            }
        }
        _ => return Err(bad()),
    }
    if numbers.is_empty() || numbers.len() > NUMBERS_MAX {
        return Err(Refusal::param("`partNumberRange` is empty or has more than 100 numbers"));
    }
    if numbers.iter().any(|n| !(1..=PART_NUMBER_MAX).contains(n)) {
        return Err(Refusal::param("part numbers go from 1 to 10000"));
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn range(value: Value) -> Option<Vec<u32>> {
        part_number_range(json!({ "partNumberRange": value }).as_object().expect("an object"), Shape::Either).ok()
    }

    #[test]
    fn strings_and_arrays_say_the_same() {
        assert_eq!(range(json!("1,8-10,20")), Some(vec![1, 8, 9, 10, 20]));
        assert_eq!(range(json!([1, 3])), Some(vec![1, 3]));
        assert_eq!(range(json!("1-100")).map(|r| r.len()), Some(100));
        for bad in
            [json!(""), json!("0-3"), json!("3-1"), json!("1-101"), json!([]), json!(["1"]), json!(5), json!("10001")]
        {
            assert_eq!(range(bad.clone()), None, "{bad}");
        }
    }
}
