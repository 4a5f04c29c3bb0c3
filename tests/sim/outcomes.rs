//! What must be so of every object, and of every ending.

use partway::{
    engine::{Remote, State},
    error::Code,
};

use super::{cloud::Which, world::World};

impl World {
    /// The service made something.
    pub fn check_objects(&mut self) {
        if let Some(what) = self.cloud.base_mut().breach.take() {
            self.violated(what);
        }
        for (row, object) in std::mem::take(&mut self.cloud.base_mut().made) {
            let places = self.cloud.base().objects.values();
            self.oracles.of[row].objects = places.filter(|object| object.upload == Some(row)).count();
            // Without the task only dates tell whose an object is: a clock that was set back in between defeats them.
            let excuse = self.oracles.of[row].excuse;
            let lost = self.oracles.of[row].begins_lost > 0;
            let dates = (excuse.gone || lost) && self.oracles.clock_jumped.is_some();
            // A request that the network carries out twice, where the name is taken and another one is asked for.
            let doubled = self.options.name_taken && self.options.duplicated > 0 && excuse.begun;
            // KooDrive has no place to look at: one that was carried out behind its repeat, and a file that changed since.
            let koodrive = self.options.service == Which::KooDrive;
            let overtaken = koodrive && excuse.overtaken && self.sources[row].versions.len() > 1;
            let untellable = dates || doubled || overtaken;
            if self.oracles.of[row].objects > 1 && !untellable {
                self.violated(format!("u{row}: the object exists {} times", self.oracles.of[row].objects));
            }
            if !self.sources[row].versions.contains(&object.content) {
                self.violated(format!("u{row}: the object equals no version of the file"));
            }
        }
    }

    /// Everything has ended.
    pub fn check_the_end(&mut self) -> Result<(), String> {
        for (row, of) in self.oracles.of.iter().enumerate() {
            let Some(state) = &of.announced else { return Err(format!("u{row} never ended")) };
            let excuse = of.excuse;
            let right = match state {
                State::Completed { receipt } => {
                    let own = self.cloud.base().objects.values().find(|object| object.upload == Some(row));
                    own.is_some_and(|object| {
                        let crc64 = Some(object.content.crc64().to_string());
                        object.content.len() == receipt.size_bytes
                            && (receipt.crc64.is_none() || receipt.crc64 == crc64)
                    })
                }
                // What was undone at the service made nothing.
                State::Cancelled { remote: Remote::Aborted | Remote::NothingThere } => {
                    excuse.cancelled && of.objects == 0
                }
                State::Cancelled { .. } => excuse.cancelled,
                State::Failed { error } => match error.code {
                    // A cancel does not wait for ever to find out.
                    Code::OutcomeUnknown => {
                        let taken = (excuse.doubted || excuse.begun) && self.options.name_taken;
                        // KooDrive has no place to look at: two begins without an answer are not told apart.
                        let killed = self.options.crashes || self.options.crash_between_steps > 0;
                        let twice =
                            excuse.begun && self.options.service == Which::KooDrive && (of.begins_lost > 0 || killed);
                        // Only dates tell whose an object is.
                        let dates = self.oracles.clock_jumped.is_some() && (excuse.begun || excuse.doubted);
                        // A begin that may have made the object of bytes that nobody has any more.
                        let begun = excuse.begun && self.sources[row].versions.len() > 1;
                        // It looks made, and the service says that it was put together wrongly.
                        let refuted = self.options.service == Which::KooDrive && excuse.rotten && excuse.doubted;
                        let told = excuse.gone || excuse.fatal || excuse.cancelled || refuted;
                        told || taken || begun || twice || dates
                    }
                    Code::IntegrityFailed => {
                        excuse.rotten || self.options.parts_lost || self.options.late + self.options.duplicated > 0
                    }
                    // What it says that there is not there is not, as far as the service can be asked; KooDrive has no place to look at.
                    Code::GaveUp => {
                        let asked = self.options.service == Which::Smh && self.oracles.clock_jumped.is_none();
                        self.options.give_up_after_ms.is_some() && (of.objects == 0 || !asked)
                    }
                    _ => excuse.fatal,
                },
                _ => false,
            };
            if !right {
                return Err(format!("u{row}: an ending that nothing excuses: {state:?} {excuse:?}"));
            }
        }
        Ok(())
    }
}
