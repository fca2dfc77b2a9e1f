use time::macros::datetime;

use super::*;

#[test]
fn next_links_are_reduced_to_their_token() {
    let table = [
        (
            "https://main.prod.marketplaceapi.azure.com/api/saas/subscriptions/?continuationToken=a%2Bb%3D&api-version=2018-08-31",
            Some("a+b="),
        ),
        ("https:// https://marketplaceapi.microsoft.com/api/saas/subscriptions?continuationToken=x", Some("x")),
        ("", None),
        (" ", None),
    ];
    for (link, token) in table {
        assert_eq!(continuation_token(link).unwrap().as_deref(), token, "{link}");
    }
}

#[test]
fn a_next_link_without_a_token_does_not_look_like_the_end() {
    for link in [
        "https://marketplaceapi.microsoft.com/api/saas/subscriptions",
        "https://marketplaceapi.microsoft.com/api/saas/subscriptions?continuationToken=",
        "nonsense",
    ] {
        assert!(matches!(continuation_token(link), Err(MarketplaceError::Unreadable(_))), "{link}");
    }
}

#[test]
fn a_pause_is_a_number_of_seconds_or_a_date() {
    let now = datetime!(2026-01-15 10:00 UTC);
    let table = [
        ("0", Some(0)),
        (" 7 ", Some(7)),
        ("Thu, 15 Jan 2026 10:00:30 GMT", Some(30)),
        ("Thu, 15 Jan 2026 09:00:00 GMT", Some(0)),
        ("soon", None),
        ("-1", None),
    ];
    for (text, seconds) in table {
        assert_eq!(pause(text, now), seconds.map(Duration::from_secs), "{text}");
    }
}

#[test]
fn every_shape_of_error_body_gives_its_words() {
    let table = [
        (r#"{"code":"BadArgument","message":"no"}"#, "BadArgument: no"),
        (r#"{"Error":{"Code":"ApiVersionUnspecified","Message":"none"}}"#, "ApiVersionUnspecified: none"),
        (r#""The authorization token is invalid""#, "The authorization token is invalid"),
        ("", "no reason given"),
        ("<html>", "no reason given"),
    ];
    for (body, words) in table {
        assert_eq!(message_of(body), words, "{body}");
    }
}

#[test]
fn statuses_are_told_apart_by_what_to_do_about_them() {
    let kind = |status: u16| {
        let value = Received { status, text: String::new(), retry_after: None, operation_id: None };
        checked(Answer { value, request_id: String::new(), correlation_id: String::new() }).err()
    };
    assert!(kind(200).is_none() && kind(202).is_none());
    assert!(matches!(kind(401), Some(MarketplaceError::Credential(_))));
    assert!(matches!(kind(403), Some(MarketplaceError::Credential(_))));
    assert!(matches!(kind(409), Some(MarketplaceError::Conflict(_))));
    assert!(matches!(kind(408), Some(MarketplaceError::Unavailable { status: 408, .. })));
    assert!(matches!(kind(429), Some(MarketplaceError::Unavailable { .. })));
    assert!(matches!(kind(503), Some(MarketplaceError::Unavailable { .. })));
    assert!(matches!(kind(400), Some(MarketplaceError::Refused { status: 400, .. })));
}
