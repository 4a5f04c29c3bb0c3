//! Which service does what: the sandbox's shared parts ask here, and nowhere else name a service.

use crate::answer::Answer;
use crate::body::{Body, End};
use crate::exchange::Exchange;
use crate::faults::{Plane, Service};
use crate::route::Route;
use crate::shared::World;
use crate::{koodrive, smh};

pub(crate) async fn handle(exchange: &Exchange, body: &mut Body) -> Result<Answer, End> {
    match (exchange.plane, exchange.route.service) {
        (Plane::Control, _) => crate::control::handle(exchange, body).await,
        (_, Service::Smh) => smh::handle(exchange, body).await,
        (_, Service::Koodrive) => koodrive::handle(exchange, body).await,
    }
}

/// The answer of a fault: `code` in the service's error body.
pub(crate) fn made_up(exchange: &Exchange, status: u16, code: Option<String>, message: Option<String>) -> Answer {
    match exchange.route.service {
        Service::Smh => smh::made_up(exchange, status, code, message),
        Service::Koodrive => koodrive::made_up(exchange, status, code, message),
    }
}

pub(crate) fn refuse_token(exchange: &Exchange) -> Answer {
    match exchange.route.service {
        Service::Smh => smh::refuse_token(exchange),
        Service::Koodrive => koodrive::refuse_token(exchange),
    }
}

impl World {
    /// The remote path that a request is about; empty when it is unknown.
    pub(crate) fn remote_path(&mut self, route: &Route) -> String {
        match route.service {
            Service::Smh => self.smh.remote_path(route),
            Service::Koodrive => self.koodrive.remote_path(route),
        }
    }

    /// Forgets the upload that was begun last.
    pub(crate) fn forget_newest(&mut self, service: Service) {
        match service {
            Service::Smh => self.smh.forget_newest(),
            Service::Koodrive => self.koodrive.uploads.forget_newest(),
        }
    }

    /// Forgets the upload that a request speaks of.
    pub(crate) fn forget_of(&mut self, route: &Route) {
        match route.service {
            Service::Smh => self.smh.forget_of(route),
            Service::Koodrive => self.koodrive.forget_of(route),
        }
    }
}
