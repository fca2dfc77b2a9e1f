//! To the publisher's own tenant and back.

use std::rc::Rc;

use actix_web::{HttpResponse, cookie::Cookie};

use super::{
    stop::Stop,
    visit::{Answer, StaffVisit, ok},
};
use crate::{
    app::{AppError, StaffArrived, begin_staff_sign_in, end_staff_session, finish_staff_sign_in},
    pages::console::{
        frame::ConsoleFrame,
        frame::Room,
        trouble::{ConsoleTrouble, Stopped},
    },
    web::{refusal::see_other, sign_in::is_local},
};

/// `GET /console/sign-in[?to=path][&prompt=select_account]`
pub(super) async fn depart(visit: Rc<StaffVisit>) -> Answer {
    let wait = |retry_after_seconds| Stop::Here(Stopped::TooMany { retry_after_seconds });
    visit.count_stranger().map_err(wait)?;
    let browser = visit.browser_or_new()?;
    let of_console = |path: &&str| is_local(path) && (*path == "/console" || path.starts_with("/console/"));
    let return_to = visit.query("to").filter(of_console).unwrap_or("/console");
    let choose_account = visit.query("prompt") == Some("select_account");
    let url = begin_staff_sign_in(&visit.app, &browser, return_to, choose_account).await?;
    let mut answer = see_other(url.as_str());
    add_cookie(&mut answer, &visit.cookie("browser", &browser))?;
    Ok(answer)
}

/// `GET /console/sign-in/callback`: a new session, whatever the browser had before.
pub(super) async fn arrive(visit: Rc<StaffVisit>) -> Answer {
    let failed = |reason: &str| Stop::Here(Stopped::SignInFailed { reason: reason.to_owned() });
    if visit.query("error").is_some() {
        return Err(failed("Microsoft did not sign you in, or you did not agree"));
    }
    let (Some(state), Some(code), Some(browser)) = (visit.query("state"), visit.query("code"), &visit.browser) else {
        return Err(failed("The answer from Microsoft is incomplete, or this browser refuses cookies"));
    };
    let arrived = finish_staff_sign_in(&visit.app, browser, state, code.to_owned()).await?;
    if let Some(old) = &visit.session {
        end_staff_session(&visit.app, old).await?;
    }
    match arrived {
        StaffArrived::SignedIn { cookie, return_to } => {
            let mut answer = see_other(&return_to);
            add_cookie(&mut answer, &visit.cookie("session", &cookie))?;
            Ok(answer)
        }
        StaffArrived::WithoutRole { name } => Err(Stop::Here(Stopped::WithoutRole { name })),
    }
}

/// `POST /console/sign-out`
pub(super) async fn sign_out(visit: Rc<StaffVisit>) -> Answer {
    let session = visit.check_form()?;
    end_staff_session(&visit.app, session).await?;
    let frame = ConsoleFrame::new(Room::None, &visit.nonce, None, 0, visit.now());
    let mut answer = ok(&visit, &ConsoleTrouble::new(frame, &Stopped::SignedOut))?;
    add_cookie(&mut answer, &visit.no_cookie("session"))?;
    add_cookie(&mut answer, &visit.no_cookie("browser"))?;
    Ok(answer)
}

fn add_cookie(answer: &mut HttpResponse, cookie: &Cookie<'static>) -> Result<(), Stop> {
    answer.add_cookie(cookie).map_err(|error| AppError::Internal(error.to_string()).into())
}
