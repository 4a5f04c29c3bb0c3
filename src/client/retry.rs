//! An upload that failed or was cancelled is begun again.

use super::{Client, How, Started, start::new_id, view::unknown_upload};
use crate::{
    engine::again,
    error::{Code, ErrorInfo},
    runtime::unix_ms,
};

impl Client {
    /// Begins a failed or cancelled upload again: a new id, the same key, everything that was proven. The old one is gone, as if it had been forgotten.
    /// Any other upload is refused (`wrong_state`). **disk**
    pub fn retry(&self, id: &str) -> Result<Started, ErrorInfo> {
        let started = self.inner.runtime.with_start_lock(|| {
            let wrong =
                || ErrorInfo::new(Code::WrongState, "only an upload that failed or was cancelled can be retried");
            let known = self.known(id)?;
            if !known.state.ended() {
                return Err(wrong());
            }
            // Another thread has begun it again, and the old one is on its way out.
            if self.find(&known.key).is_some_and(|last| last.id != id) {
                return Err(unknown_upload());
            }
            let fresh = new_id();
            let records = again(self.inner.runtime.records(id)?, &fresh, unix_ms()).ok_or_else(wrong)?;
            // A kill from here on finds both, and the new one says which one it took over.
            self.inner.runtime.add(vec![(records, None)])?;
            Ok(Started { id: fresh, how: How::Continued { from: id.to_owned() } })
        })??;
        self.inner.runtime.supersede(vec![id.to_owned()]);
        Ok(started)
    }
}
