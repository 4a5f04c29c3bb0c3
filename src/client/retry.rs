//! An upload that failed or was cancelled is begun again.

use super::{Client, How, Started, start::new_id};
use crate::{
    engine::again,
    error::{Code, ErrorInfo},
    runtime::unix_ms,
};

impl Client {
    /// Begins a failed or cancelled upload again: a new id, the same key, everything that was proven. The old one is gone, as if it had been forgotten.
    /// Any other upload is refused (`wrong_state`). **disk**
    pub fn retry(&self, id: &str) -> Result<Started, ErrorInfo> {
        self.inner.runtime.with_start_lock(|| {
            let wrong =
                || ErrorInfo::new(Code::WrongState, "only an upload that failed or was cancelled can be retried");
            if !self.known(id)?.state.ended() {
                return Err(wrong());
            }
            let fresh = new_id();
            let records = again(self.inner.runtime.records(id)?, &fresh, unix_ms()).ok_or_else(wrong)?;
            // A kill from here on finds both, and the new one says which one it took over.
            self.inner.runtime.add(vec![(records, None)])?;
            self.inner.runtime.supersede(vec![id.to_owned()]);
            Ok(Started { id: fresh, how: How::Continued { from: id.to_owned() } })
        })?
    }
}
