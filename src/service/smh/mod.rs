//! Tencent Smart Media Hosting.

use crate::{error::ErrorInfo, model::SmhTarget};

pub(super) struct Smh {}

impl Smh {
    pub(super) fn open(_target: SmhTarget) -> Result<Smh, ErrorInfo> {
        Ok(Smh {})
    }
}
