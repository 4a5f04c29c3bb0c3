//! `multiParts`: what a client says about parts (koodrive §4).

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::Fields;
use super::midstate::INITIAL;
use super::refusal::Refusal;
use super::switches::KoodriveSwitches;
use super::upload::{Planned, Upload};

const NUMBER_MAX: u64 = 10_000;
const SIZE_MAX: u64 = 5 << 30;
const BLOCK: u64 = 64;

/// Reads parts, each by itself.
pub(crate) fn read(list: &[Value], switches: &KoodriveSwitches) -> Result<Vec<Planned>, Refusal> {
    if list.len() > switches.parts_per_call_max {
        return Err(Refusal::param(format!("more than {} parts in one call", switches.parts_per_call_max)));
    }
    let parts: Vec<Planned> = list.iter().map(read_one).collect::<Result<_, _>>()?;
    if parts.iter().any(|part| part.size == 0) && !switches.empty_parts {
        return Err(Refusal::param("`partSize` is 0"));
    }
    Ok(parts)
}

fn read_one(value: &Value) -> Result<Planned, Refusal> {
    let Value::Object(object) = value else { return Err(Refusal::param("a part is not an object")) };
    let fields = Fields(object.clone());
    let number = fields.some_number("partNumber")?;
    let number = match u32::try_from(number) {
        Ok(n) if (1..=NUMBER_MAX).contains(&number) => n,
        _ => return Err(Refusal::param("`partNumber` is out of 1..=10000")),
    };
    let size = fields.some_number("partSize")?;
    if size > SIZE_MAX {
        return Err(Refusal::param("`partSize` is more than 5 GiB"));
    }
    let offset = fields.number("partOffset")?;
    let context = fields.list("hashCtx")?.map(|words| context(words)).transpose()?;
    match (number, offset, context) {
        (_, None, Some(_)) => return Err(Refusal::param("`hashCtx` needs `partOffset`")),
        (_, Some(offset), Some(_)) if !offset.is_multiple_of(BLOCK) => {
            return Err(Refusal::param("`partOffset` is no multiple of 64"));
        }
        (1, Some(1..), _) => return Err(Refusal::param("part 1 begins at 0")),
        (1, _, Some(words)) if words != INITIAL => {
            return Err(Refusal::param("part 1 begins with another state than SHA-256 does"));
        }
        (2.., Some(0), _) => return Err(Refusal::param("only part 1 begins at 0")),
        _ => {}
    }
    Ok(Planned { number, size, offset, context })
}

fn context(words: &[Value]) -> Result<[u32; 8], Refusal> {
    let words: Option<Vec<u32>> = words.iter().map(|w| u32::try_from(w.as_u64()?).ok()).collect();
    let words = words.and_then(|words| words.try_into().ok());
    words.ok_or_else(|| Refusal::param("`hashCtx` is not 8 numbers of 0..=4294967295"))
}

/// Adds parts to an upload's plan, all or none.
pub(crate) fn plan(upload: &mut Upload, parts: &[Planned], switches: &KoodriveSwitches) -> Result<(), Refusal> {
    let mut plan = upload.plan.clone();
    for (n, part) in parts.iter().enumerate() {
        if parts[..n].iter().any(|other| other.number == part.number) {
            return Err(Refusal::param(format!("part {} is there twice", part.number)));
        }
        if !switches.replan && plan.get(&part.number).is_some_and(|before| before != part) {
            return Err(Refusal::param(format!("part {} was another one before", part.number)));
        }
        plan.insert(part.number, part.clone());
    }
    let concurrent = plan.values().any(|part| part.context.is_some());
    for part in parts {
        check_place(part, upload.wanted.length, concurrent, switches)?;
    }
    check_contexts(&plan, concurrent)?;
    upload.plan = plan;
    Ok(())
}

fn check_place(part: &Planned, length: u64, concurrent: bool, switches: &KoodriveSwitches) -> Result<(), Refusal> {
    let number = part.number;
    let end = part.offset.unwrap_or(0).saturating_add(part.size);
    if end > length {
        return Err(Refusal::param(format!("part {number} goes beyond the file")));
    }
    let last = end == length;
    if part.offset.is_some() && !last && part.size < switches.part_size_bytes_min {
        return Err(Refusal::param(format!("part {number} is not the last and too small")));
    }
    if concurrent && !last && !part.size.is_multiple_of(BLOCK) {
        return Err(Refusal::param(format!("part {number} is not the last and no multiple of 64 bytes")));
    }
    Ok(())
}

/// Once one part has a context, all do but the first.
fn check_contexts(plan: &BTreeMap<u32, Planned>, concurrent: bool) -> Result<(), Refusal> {
    match plan.values().find(|part| part.number > 1 && part.context.is_none()) {
        Some(part) if concurrent => Err(Refusal::param(format!("part {} needs `hashCtx`", part.number))),
        _ => Ok(()),
    }
}
