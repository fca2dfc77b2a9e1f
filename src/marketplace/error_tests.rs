use super::*;

fn refused(status: u16) -> MarketplaceError {
    MarketplaceError::Refused { status, message: String::new() }
}

fn unavailable(status: u16, seconds: Option<u64>) -> MarketplaceError {
    MarketplaceError::Unavailable { status, retry_after: seconds.map(Duration::from_secs) }
}

/// Written by hand: whoever reports usage relies on it.
#[test]
fn what_can_have_been_done_is_told_from_what_cannot() {
    let text = String::new;
    let table = [
        (MarketplaceError::Unreached(text()), true),
        (MarketplaceError::Credential(text()), true),
        (MarketplaceError::BadPurchaseToken(text()), true),
        (MarketplaceError::NotFound(text()), true),
        (refused(400), true),
        (refused(413), true),
        (refused(418), true),
        (unavailable(429, None), true),
        (refused(200), false),
        (refused(302), false),
        (refused(499), true),
        (MarketplaceError::Conflict(text()), false),
        (unavailable(408, None), false),
        (unavailable(500, None), false),
        (unavailable(503, Some(1)), false),
        (unavailable(504, None), false),
        (MarketplaceError::NoAnswer(text()), false),
        (MarketplaceError::Unreadable(text()), false),
    ];
    for (error, is_unprocessed) in table {
        assert_eq!(error.is_certainly_unprocessed(), is_unprocessed, "{error:?}");
    }
}

#[test]
fn a_missing_token_means_that_nothing_left() {
    let error = MarketplaceError::from(CredentialError::Unreachable("Entra answers 503".to_owned()));
    assert!(matches!(error, MarketplaceError::Unreached(_)), "{error:?}");
    assert_eq!((error.fault(), error.is_retryable()), (Fault::Microsoft, true));
}

#[test]
fn a_pause_is_told_where_there_is_one() {
    assert_eq!(unavailable(429, Some(7)).retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(unavailable(503, None).retry_after(), None);
    assert_eq!(MarketplaceError::NoAnswer(String::new()).retry_after(), None);
}
