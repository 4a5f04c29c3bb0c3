//! Links for parts: the answer of create and uploadUrl (koodrive §4.1, §4.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::sign::{Scope, Signer};
use super::upload::{Link, Planned, Upload};
use crate::shared::Shared;
use crate::switches::Switches;

/// Signs these parts of an upload.
pub(crate) fn links(shared: &Shared, switches: &Switches, signer: &Signer, upload: &mut Upload, of: &[u32]) -> Value {
    let now_ms = shared.clock.now_ms();
    let ttl_ms = switches.koodrive.url_ttl_ms;
    let scheme = if shared.config.tls { "https" } else { "http" };
    let domain = shared.domain();
    let mut parts = Vec::new();
    for part in of.iter().filter_map(|number| upload.plan.get(number)) {
        let scope = Scope {
            path: &upload.object_path,
            host: &domain,
            upload_id: &upload.upload_id,
            part: part.number,
            size: part.size,
            context: part.context.map(|words| context_text(words, part.offset.unwrap_or(0))),
        };
        let link = signer.presign(&scope, now_ms, ttl_ms);
        let until_ms = now_ms.saturating_add(i64::try_from(ttl_ms).unwrap_or(i64::MAX));
        upload.links.insert(link.signature, Link { until_ms, used: false });
        upload.links_signed += 1;
        parts.push(echoed(part, format!("{scheme}://{}{}", domain, link.path_and_query)));
    }
    if switches.koodrive.shuffle_parts {
        let middle = parts.len() / 2;
        parts.rotate_left(middle);
    }
    Value::Array(parts)
}

fn echoed(part: &Planned, url: String) -> Value {
    let mut echo = json!({ "partNumber": part.number, "partSize": part.size });
    if let Some(offset) = part.offset {
        echo["partOffset"] = json!(offset);
    }
    if let Some(words) = part.context {
        echo["hashCtx"] = json!(words);
    }
    echo["uploadUrl"] = json!(url);
    echo
}

/// OpenSSL's SHA256_CTX with an empty buffer, as the service writes it.
fn context_text(words: [u32; 8], offset: u64) -> String {
    let bits = offset.wrapping_mul(8);
    let (nh, nl) = (bits >> 32, bits & 0xffff_ffff);
    let h = words.map(|w| w.to_string()).join(",");
    STANDARD.encode(format!(r#"{{"md_len":32,"num":0,"h":[{h}],"nh":{nh},"nl":{nl},"hash_type":"sha256"}}"#))
}

/// The words and the bytes before them.
pub(crate) fn parse_context(text: &str) -> Option<([u32; 8], u64)> {
    let Ok(Value::Object(object)) = serde_json::from_slice(&STANDARD.decode(text).ok()?) else { return None };
    let field = |name: &str| object.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v);
    let words: Option<Vec<u32>> = field("h")?.as_array()?.iter().map(|w| u32::try_from(w.as_u64()?).ok()).collect();
    let bits = field("nh")?.as_u64()? << 32 | field("nl")?.as_u64()?;
    Some((words?.try_into().ok()?, bits / 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_written_as_the_service_writes_it() {
        let words = [
            3_421_553_783,
            3_807_075_027,
            1_869_373_043,
            2_340_992_472,
            2_724_404_595,
            3_434_595_078,
            1_034_840_972,
            91_544_355,
        ];
        let text = context_text(words, 5_242_880);
        assert_eq!(
            text,
            "eyJtZF9sZW4iOjMyLCJudW0iOjAsImgiOlszNDIxNTUzNzgzLDM4MDcwNzUwMjcsMTg2OTM3MzA0MywyMzQwOTkyNDcyLDI3MjQ0MDQ1OTUs\
             MzQzNDU5NTA3OCwxMDM0ODQwOTcyLDkxNTQ0MzU1XSwibmgiOjAsIm5sIjo0MTk0MzA0MCwiaGFzaF90eXBlIjoic2hhMjU2In0="
        );
        assert_eq!(parse_context(&text), Some((words, 5_242_880)));
        let far = context_text(words, 214_727_393_280);
        assert_eq!(parse_context(&far), Some((words, 214_727_393_280)));
        let production =
            STANDARD.encode(r#"{"md_len":32,"num":0,"hash_type":"sha256","h":[1,2,3,4,5,6,7,8],"Nh":8,"Nl":0}"#);
        assert_eq!(parse_context(&production), Some(([1, 2, 3, 4, 5, 6, 7, 8], 1 << 32)));
    }
}
