//! Digest passes over bytes that are only described. The states are stand-ins, mixed from the names of the blocks, in the product's own journal form:
//! real ones would take a hundred times as long. That the product's SHA-256 goes on from its own states is tested where it stands (src/hash).

use partway::hash::{CHAIN_BLOCK_BYTES, Digester, Wants};
use serde_json::{Value, json};

use super::content::Stretch;

pub type Words = [u32; 8];

/// The state of no bytes.
pub const NOTHING: Words = [1, 2, 3, 4, 5, 6, 7, 8];

fn mix(words: Words, id: u64, len: u64) -> Words {
    let mut carry = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ len.rotate_left(32);
    words.map(|word| {
        carry = (carry ^ u64::from(word)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        carry ^= carry >> 29;
        (carry >> 32) as u32
    })
}

/// The state after these bytes.
pub fn after(words: Words, bytes: &Stretch) -> Words {
    bytes.0.iter().fold(words, |words, block| mix(words, block.id, block.len))
}

fn words(state: &Value) -> Words {
    let word = |at: usize| state["h"][at].as_u64().unwrap_or(0) as u32;
    std::array::from_fn(word)
}

fn state(words: Words, len_bytes: u64) -> Value {
    json!({"h": words, "len_bytes": len_bytes, "pending": "00".repeat((len_bytes % 64) as usize)})
}

fn hex(words: Words) -> String {
    words.iter().map(|word| format!("{word:08x}")).collect()
}

/// The pass after these bytes more.
pub fn advance(digester: &Digester, bytes: &Stretch) -> Digester {
    let mut pass = serde_json::to_value(digester).expect("a pass");
    let mut size = digester.len_bytes();
    let begun = |pass: &Value, name: &str| if size == 0 { NOTHING } else { words(&pass[name]) };
    let (mut whole, mut first) = (begun(&pass, "sha256"), begun(&pass, "pre_hash"));
    let mut chain = pass["chain"].take();
    for block in &bytes.0 {
        if size == 0 {
            first = mix(NOTHING, block.id, block.len.min(1_024));
        }
        whole = mix(whole, block.id, block.len);
        size += block.len;
        if chain.is_object() {
            let before = match (&chain["block"], chain["last"].as_str()) {
                (block, _) if block.is_object() => words(block),
                (_, Some(last)) => mix(NOTHING, u64::from_str_radix(&last[..16], 16).unwrap_or(0), 32),
                (_, None) => NOTHING,
            };
            let now = mix(before, block.id, block.len);
            let odd = size % CHAIN_BLOCK_BYTES;
            chain["block"] = match odd {
                0 => Value::Null,
                odd => state(now, if size >= CHAIN_BLOCK_BYTES { odd + 32 } else { odd }),
            };
            if odd == 0 {
                chain["last"] = json!(hex(now));
                if chain["beginning"].is_null() {
                    chain["beginning"] = chain["last"].clone();
                }
            }
            chain["size_bytes"] = json!(size);
        }
    }
    if pass["sha256"].is_object() {
        pass["sha256"] = state(whole, size);
    }
    if pass["pre_hash"].is_object() {
        pass["pre_hash"] = state(first, size.min(1_024));
    }
    if chain.is_object() {
        pass["chain"] = chain;
    } else if let Some(fields) = pass.as_object_mut() {
        fields.remove("chain");
    }
    pass["size_bytes"] = json!(size);
    serde_json::from_value(pass).expect("a state that fits")
}

/// SHA-256 of the whole as such a pass ends.
pub fn sha256(bytes: &Stretch) -> String {
    let pass = Digester::new(Wants { sha256: true, ..Wants::default() }).expect("wants");
    advance(&pass, bytes).finish().sha256.expect("a digest")
}

/// SMH's two digests; none below 1 MiB.
pub fn chain(bytes: &Stretch) -> Option<(String, String)> {
    let pass = Digester::new(Wants { chain: true, ..Wants::default() }).expect("wants");
    let digests = advance(&pass, bytes).finish();
    digests.beginning_hash.zip(digests.full_hash)
}
