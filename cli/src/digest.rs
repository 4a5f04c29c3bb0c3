//! `partway digest`: everything that a service may ask to know of a file, in one reading.

use std::{fs::File, io::Read};

use partway::{
    error::ErrorInfo,
    hash::{Digester, Wants},
};

use crate::{
    args::DigestArgs,
    exit::Exit,
    file::{self, LocalFile},
    output,
};

const READ_BYTES: usize = 1 << 20;

pub(crate) fn run(args: &DigestArgs) -> Result<Exit, ErrorInfo> {
    let wants = Wants { sha256: true, chain: true, crc64: true, pre_hash: false, part_size_bytes: args.part_size };
    let mut digester = Digester::new(wants)?;
    let local = LocalFile::look(&args.file);
    local.metadata?;
    let unreadable = |error: std::io::Error| file::source_error(&error);
    let mut file = File::open(&local.path).map_err(unreadable)?;
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => digester.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    let digests = digester.finish();
    if args.common.json {
        output::json_line(&digests);
        return Ok(Exit::Completed);
    }
    let word = |digest: &Option<String>| digest.clone().unwrap_or_else(|| "- (below 1 MiB)".to_owned());
    output::line(&format!("size            {}", digests.size_bytes));
    output::line(&format!("beginning_hash  {}", word(&digests.beginning_hash)));
    output::line(&format!("full_hash       {}", word(&digests.full_hash)));
    output::line(&format!("sha256          {}", word(&digests.sha256)));
    output::line(&format!("crc64           {}", word(&digests.crc64)));
    for midstate in &digests.midstates {
        let words: Vec<String> = midstate.h.iter().map(u32::to_string).collect();
        output::line(&format!("part {} at {}: {}", midstate.part_number, midstate.offset, words.join(" ")));
    }
    Ok(Exit::Completed)
}
