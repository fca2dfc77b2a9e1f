//! What a browser is after a sign-in: cookies, their ends, and callbacks that are not its own.

use time::Duration;

use super::walker::{SESSION, Step, Walker};
use crate::{
    on_both_databases,
    support::{
        Stage,
        people::{ALEX, JO},
    },
};

on_both_databases! {
    a_sign_in_gives_a_new_session;
    a_session_that_nobody_uses_ends_after_an_hour;
    a_session_in_use_ends_after_twelve_hours;
    signing_out_ends_the_session_on_the_server;
    a_callback_is_good_in_its_own_browser_once;
    a_sign_in_that_takes_too_long_is_over;
    nobody_is_sent_to_another_host;
}

fn refused(step: &Step) -> bool {
    step.status >= 400 && step.location.is_none()
}

async fn a_sign_in_gives_a_new_session(stage: Stage) {
    let mut alex = Walker::of(ALEX);
    alex.cookies.insert(SESSION.to_owned(), "planted".to_owned());
    alex.sign_in(&stage.public_url).await;
    let first = alex.cookies[SESSION].clone();
    assert_ne!(first, "planted", "a session id from outside is not taken over");
    let mut old = alex.clone();
    assert!(old.is_signed_in(&stage.public_url).await);
    alex.sign_in(&stage.public_url).await;
    assert_ne!(alex.cookies[SESSION], first);
    assert!(alex.is_signed_in(&stage.public_url).await);
    assert!(!old.is_signed_in(&stage.public_url).await, "the one before is over");
    stage.finish().await;
}

async fn a_session_that_nobody_uses_ends_after_an_hour(stage: Stage) {
    let mut alex = Walker::of(ALEX);
    alex.sign_in(&stage.public_url).await;
    stage.advance(Duration::minutes(60) - Duration::SECOND);
    assert!(alex.is_signed_in(&stage.public_url).await);
    stage.advance(Duration::minutes(60));
    assert!(!alex.is_signed_in(&stage.public_url).await);
    stage.finish().await;
}

async fn a_session_in_use_ends_after_twelve_hours(stage: Stage) {
    let mut alex = Walker::of(ALEX);
    alex.sign_in(&stage.public_url).await;
    for _ in 0..14 {
        stage.advance(Duration::minutes(50));
        assert!(alex.is_signed_in(&stage.public_url).await, "in use");
    }
    stage.advance(Duration::minutes(20));
    assert!(!alex.is_signed_in(&stage.public_url).await, "twelve hours are over");
    stage.finish().await;
}

async fn signing_out_ends_the_session_on_the_server(stage: Stage) {
    let mut alex = Walker::of(ALEX);
    alex.sign_in(&stage.public_url).await;
    let page = alex.get(&stage.url("subscriptions")).await.text;
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let mut thief = alex.clone();
    let sign_out = stage.url("sign-out");
    assert!(refused(&alex.post(&sign_out, &[("csrf", "guessed")]).await), "not by a form of somebody else");
    assert!(alex.is_signed_in(&stage.public_url).await);
    assert_eq!(alex.post(&sign_out, &[("csrf", &csrf)]).await.status, 200);
    assert!(!alex.cookies.contains_key(SESSION));
    assert!(!thief.is_signed_in(&stage.public_url).await, "a copy of the cookie is worth nothing");
    stage.finish().await;
}

async fn a_callback_is_good_in_its_own_browser_once(stage: Stage) {
    let (mut alex, mut jo) = (Walker::of(ALEX), Walker::of(JO));
    let (mut bare, foreign) = (Walker::of(ALEX), jo.leave(&stage.public_url, None).await);
    let own = alex.leave(&stage.public_url, None).await;
    assert!(refused(&alex.get(&foreign).await), "started in another browser");
    assert!(refused(&bare.get(&own).await), "opened in a browser without cookies");
    let state = |value: &str| {
        let mut url = own.clone();
        let code = own.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        url.query_pairs_mut().clear().append_pair("code", &code).append_pair("state", value);
        url
    };
    for wrong in ["made-up", ""] {
        assert!(refused(&alex.get(&state(wrong)).await), "state {wrong:?}");
    }
    assert!(!alex.cookies.contains_key(SESSION) && !bare.cookies.contains_key(SESSION));
    assert_eq!(alex.get(&own).await.status, 303, "the own one is good");
    let session = alex.cookies[SESSION].clone();
    assert!(refused(&alex.get(&own).await), "but once");
    assert_eq!(alex.cookies[SESSION], session, "and the session goes on");
    assert!(alex.is_signed_in(&stage.public_url).await);
    stage.finish().await;
}

async fn a_sign_in_that_takes_too_long_is_over(stage: Stage) {
    let mut alex = Walker::of(ALEX);
    let callback = alex.leave(&stage.public_url, None).await;
    stage.advance(Duration::minutes(30));
    assert!(refused(&alex.get(&callback).await));
    assert!(!alex.is_signed_in(&stage.public_url).await);
    stage.finish().await;
}

async fn nobody_is_sent_to_another_host(stage: Stage) {
    let own = stage.public_url.origin();
    let outside = [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "evil.example",
        "javascript:alert(1)",
        "/\r\n/evil.example",
        "/\t/evil.example",
        "",
    ];
    for to in outside {
        let mut alex = Walker::of(ALEX);
        let callback = alex.leave(&stage.public_url, Some(to)).await;
        let landed = alex.get(&callback).await.location.unwrap();
        assert_eq!((landed.origin(), landed.path()), (own.clone(), "/landing"), "{to:?}");
    }
    let mut alex = Walker::of(ALEX);
    let callback = alex.leave(&stage.public_url, Some("/subscriptions?x=1")).await;
    assert_eq!(alex.get(&callback).await.location.unwrap(), stage.url("subscriptions?x=1"));
    stage.finish().await;
}
