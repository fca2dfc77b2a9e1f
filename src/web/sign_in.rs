//! To Entra and back.

use std::rc::Rc;

use actix_web::HttpResponse;

use super::{
    refusal::{Refusal, ok, see_other},
    visit::Visit,
};
use crate::{
    app::{AppError, begin_sign_in, end_session, finish_sign_in},
    pages::{
        frame::OfferFace,
        trouble::{Dead, Trouble},
    },
};

/// No page of ours has a longer address.
const MAX_PATH_CHARS: usize = 512;

/// `GET /sign-in[?to=path][&prompt=select_account]`
pub(super) async fn depart(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    visit.check_pace()?;
    let browser = visit.browser_or_new()?;
    let return_to = visit.query("to").filter(|path| is_local(path)).unwrap_or("/landing");
    let choose_account = visit.query("prompt") == Some("select_account");
    let url = begin_sign_in(&visit.app, &browser, return_to, choose_account).await?;
    let mut answer = see_other(url.as_str());
    add_cookie(&mut answer, &visit.cookie("browser", &browser))?;
    Ok(answer)
}

/// `GET /sign-in/callback`: a new session, whatever the browser had before.
pub(super) async fn arrive(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    if let Some(error) = visit.query("error") {
        let reason = match error {
            "access_denied" => "You did not agree to sign in.",
            _ => "Microsoft did not sign you in.",
        };
        return Err(Refusal::Dead(Dead::SignInFailed { reason: reason.to_owned() }));
    }
    let (Some(state), Some(code), Some(browser)) = (visit.query("state"), visit.query("code"), &visit.browser) else {
        let reason = "The answer from Microsoft is incomplete, or this browser refuses cookies.".to_owned();
        return Err(Refusal::Dead(Dead::SignInFailed { reason }));
    };
    let (session, return_to) = finish_sign_in(&visit.app, browser, state, code.to_owned()).await?;
    if let Some(old) = &visit.session {
        end_session(&visit.app, old).await?;
    }
    let mut answer = see_other(&return_to);
    add_cookie(&mut answer, &visit.cookie("session", &session))?;
    Ok(answer)
}

/// `POST /sign-out`
pub(super) async fn sign_out(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let session = visit.check_form()?;
    end_session(&visit.app, session).await?;
    let mut frame = visit.frame(OfferFace::neutral(None));
    frame.person = None;
    let mut answer = ok(&visit, &Trouble::new(frame, &Dead::SignedOut, visit.now()))?;
    add_cookie(&mut answer, &visit.no_cookie("session"))?;
    add_cookie(&mut answer, &visit.no_cookie("browser"))?;
    Ok(answer)
}

/// A path of ours, and not an address that only looks like one.
pub(super) fn is_local(path: &str) -> bool {
    // Browsers drop tabs and line breaks inside an address: "/\t/evil" would become "//evil".
    let odd = |character: char| character == '\\' || !character.is_ascii_graphic();
    path.len() <= MAX_PATH_CHARS && path.starts_with('/') && !path.starts_with("//") && !path.contains(odd)
}

fn add_cookie(answer: &mut HttpResponse, cookie: &actix_web::cookie::Cookie<'static>) -> Result<(), Refusal> {
    answer.add_cookie(cookie).map_err(|error| AppError::Internal(error.to_string()).into())
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_paths_of_ours_are_returned_to() {
        for (path, expected) in
            [("/landing", true), ("//evil.example", false), ("https://evil.example", false), ("/\\evil", false)]
        {
            assert_eq!(is_local(path), expected, "{path}");
        }
    }
}
