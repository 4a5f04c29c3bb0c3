//! The host's credentials: one ask at a time, answered late or never, each new one under the next generation.

use partway::{
    engine::{Event, WaitReason},
    model::Credential,
};

use super::world::{Due, World};

const ASK_MS_MAX: u64 = 60_000;

impl World {
    pub fn want_credential(&mut self, row: usize, refused: Option<u64>) {
        let Some(phone) = &mut self.phone else { return };
        if let Some(secret) = &phone.secret
            && refused.is_none_or(|refused| phone.generation > refused)
        {
            let credential = Some(Credential::token(secret.clone()));
            let generation = phone.generation;
            return self.event(row, Event::Credential { credential, generation });
        }
        phone.asking.insert(row);
        if phone.ask.is_some() {
            return;
        }
        phone.asks += 1;
        let ask = phone.asks;
        phone.ask = Some((ask, self.tick + ASK_MS_MAX));
        self.after(ASK_MS_MAX, Due::Wake);
        let secret = if self.chance(self.options.host_has_none) { None } else { Some(self.cloud.base_mut().mint()) };
        let slow = self.chance(self.options.host_slow);
        let ms = if slow { self.rng.u64(1_000..100_000) } else { self.rng.u64(1..200) };
        self.after(ms, Due::Credential { ask, secret });
    }

    /// The host answers an ask, or gives one unasked (`ask` 0).
    pub fn credential(&mut self, ask: u64, secret: Option<String>) {
        let Some(phone) = &mut self.phone else { return };
        let open = phone.ask.is_some_and(|(number, _)| number == ask);
        if open {
            phone.ask = None;
        }
        if secret.is_none() && !open {
            return;
        }
        let given = secret.is_some();
        if given {
            phone.generation += 1;
            phone.secret.clone_from(&secret);
        }
        let generation = phone.generation;
        let mut rows = std::mem::take(&mut phone.asking);
        if ask == 0 {
            rows.extend(0..phone.rows.len());
        }
        for row in rows {
            self.event(row, Event::Credential { credential: secret.clone().map(Credential::token), generation });
        }
        if given {
            self.again_if(&[WaitReason::Credential]);
        }
    }

    /// Nobody answered in time.
    pub fn credential_expired(&mut self) {
        let rows = self.phone.as_mut().map(|phone| std::mem::take(&mut phone.asking)).unwrap_or_default();
        for row in rows {
            self.event(row, Event::Credential { credential: None, generation: 0 });
        }
        self.after(1, Due::Wake);
    }
}
