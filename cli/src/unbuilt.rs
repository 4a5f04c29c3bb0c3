//! What the contract names and the library can't do yet: parsed, then refused. An entry goes when its feature comes.

use partway::error::{Code, ErrorInfo};

use crate::args::ExplainArgs;

/// Refuses an explanation that asks for what there is not.
pub(crate) fn explain(args: &ExplainArgs) -> Result<(), ErrorInfo> {
    if args.remote {
        return Err(ErrorInfo::new(Code::Unsupported, "`explain --remote` is not in this version yet"));
    }
    Ok(())
}
