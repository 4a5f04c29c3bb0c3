//! Content that the service has already (koodrive §3.4).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::access::Caller;
use super::create::Spot;
use super::create_body::Wanted;
use super::names;
use super::refusal::Refusal;
use crate::exchange::Exchange;
use crate::faults::Service;
use crate::random::to_hex;
use crate::shared::World;
use crate::store::StoredObject;

const PROOF_BYTES: u64 = 8;
const PRE_HASH_BYTES: u64 = 1024;

/// An object of the content that is wanted, if the client proved that it has it.
pub(crate) fn known(world: &World, caller: &Caller, wanted: &Wanted) -> Result<Option<StoredObject>, Refusal> {
    let switches = &world.switches.koodrive;
    let Some(sha256) = &wanted.sha256 else { return Ok(None) };
    let miss = |why: &str| if switches.proof_strict { Err(Refusal::param(why)) } else { Ok(None) };
    if wanted.proof_code.is_none() && wanted.length > 0 {
        return miss("`proofCode` is missing");
    }
    let same = |o: &&StoredObject| o.size == wanted.length && o.sha256.as_ref() == Some(sha256);
    let object = world.store.objects_of(Service::Koodrive).find(same).filter(|_| switches.instant);
    let Some((object, file)) = object.and_then(|o| Some((o, o.file.as_deref()?))) else { return Ok(None) };
    let pre_hash = range_hash(file, 0, PRE_HASH_BYTES).map_err(|e| Refusal::broken(&e))?;
    if wanted.pre_hash.as_ref().is_some_and(|given| *given != pre_hash) {
        return miss("`preHash` is not that of the content");
    }
    if wanted.length > 0 {
        let proof = range_hash(file, proof_start(&caller.proof_origin, wanted.length), PROOF_BYTES);
        if wanted.proof_code != Some(proof.map_err(|e| Refusal::broken(&e))?) {
            return miss("`proofCode` is wrong");
        }
    }
    Ok(Some(object.clone()))
}

/// Where the bytes of the proof begin.
fn proof_start(origin: &str, size: u64) -> u64 {
    let seed = to_hex(&Sha256::digest(origin));
    let digest: [u8; 32] = Sha256::digest(seed).into();
    let last = digest.last_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    (last & (u64::MAX >> 1)) % size.max(1)
}

/// SHA-256, in hex, of so many bytes, or of what there is of them.
fn range_hash(file: &Path, from: u64, size: u64) -> io::Result<String> {
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes)?;
    Ok(to_hex(&Sha256::digest(bytes)))
}

/// Makes an object of known content; gives its file id.
pub(crate) fn copy(
    exchange: &Exchange,
    world: &mut World,
    spot: &Spot,
    wanted: &Wanted,
    known: StoredObject,
) -> Result<String, Refusal> {
    let now_ms = exchange.shared.clock.now_ms();
    let scratch = known.file.as_ref().map(|file| world.store.place.duplicate(file)).transpose();
    let scratch = scratch.map_err(|e| Refusal::broken(&e))?;
    let file_id = names::file_id();
    let object = StoredObject {
        etag: known.etag,
        crc64: known.crc64,
        sha256: known.sha256,
        md5: known.md5,
        beginning_hash: known.beginning_hash,
        full_hash: known.full_hash,
        size: known.size,
        instant: true,
        ..object(spot, wanted, &file_id, now_ms)
    };
    world.store.insert(object, scratch.as_ref().and_then(|s| s.path())).map_err(|e| Refusal::broken(&e))?;
    exchange.shared.log.wake();
    Ok(file_id)
}

/// An object without content.
pub(crate) fn object(spot: &Spot, wanted: &Wanted, file_id: &str, now_ms: i64) -> StoredObject {
    let described = wanted.description.iter().map(|text| ("description".to_owned(), text.clone()));
    StoredObject {
        id: 0,
        service: Service::Koodrive,
        space: spot.container.clone(),
        path: spot.path.clone(),
        size: 0,
        crc64: 0,
        etag: String::new(),
        sha256: None,
        md5: None,
        beginning_hash: None,
        full_hash: None,
        file: None,
        created_ms: now_ms,
        modified_ms: now_ms,
        overwritten: 0,
        revision: 0,
        instant: false,
        parts: 0,
        content_type: wanted.mime_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned()),
        metadata: described.collect(),
        labels: Vec::new(),
        category: Some(wanted.file_type.clone()),
        local_creation_time: wanted.created_time.clone(),
        local_modification_time: None,
        confirm_key: None,
        file_id: Some(file_id.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_begins_where_the_notes_say() {
        let user = "1505084218764547200";
        assert_eq!(proof_start(user, 20_971_520), 12_113_135);
        assert_eq!(proof_start(user, 320), 175);
        assert_eq!(proof_start(user, 5), 0);
        assert_eq!(proof_start("Bearer 10f88d07fa44791e9ff0123456789abcdef0123456789abcd", 20_971_520), 18_164_925);
    }
}
