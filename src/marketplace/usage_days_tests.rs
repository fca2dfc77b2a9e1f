use rust_decimal::dec;
use time::macros::date;
use uuid::uuid;

use super::*;

#[test]
fn recon_statuses_are_open() {
    for (word, status) in [
        ("Submitted", ReconStatus::Submitted),
        ("Accepted", ReconStatus::Accepted),
        ("Rejected", ReconStatus::Rejected),
        ("Mismatch", ReconStatus::Mismatch),
        ("TestHeaders", ReconStatus::TestHeaders),
        ("DryRun", ReconStatus::DryRun),
        (" Accepted ", ReconStatus::Accepted),
        ("Pending", ReconStatus::Unknown("Pending".to_owned())),
    ] {
        let rows = format!(r#"[{{"usageDate":"2026-01-18T00:00:00Z","reconStatus":"{word}"}}]"#);
        assert_eq!(usage_days(&rows).unwrap()[0].recon_status, status, "{word}");
    }
}

#[test]
fn everything_but_the_day_may_be_missing() {
    let nothing = UsageDay {
        day: date!(2026 - 01 - 18),
        resource_id: None,
        dimension: String::new(),
        plan_id: String::new(),
        offer_id: String::new(),
        recon_status: ReconStatus::Unknown(String::new()),
        submitted: Decimal::ZERO,
        processed: Decimal::ZERO,
        count: 0,
    };
    let nulls = r#"[{"usageDate":"2026-01-18","usageResourceId":null,"dimension":null,"planId":null,"offerId":null,
        "reconStatus":null,"submittedQuantity":null,"processedQuantity":null,"submittedCount":null}]"#;
    for text in [r#"[{"usageDate":"2026-01-18"}]"#, nulls] {
        assert_eq!(usage_days(text).unwrap(), std::slice::from_ref(&nothing), "{text}");
    }
    let odd = r#"[{"usageDate":"2026-01-18T00:00:00","usageResourceId":"none"}]"#;
    assert_eq!(usage_days(odd).unwrap(), [nothing], "an id that is none");
    for text in ["", " ", "null", "[]"] {
        assert_eq!(usage_days(text).unwrap(), [], "{text:?}");
    }
}

#[test]
fn sums_are_what_was_sent() {
    let day = |submitted: &str| {
        format!(
            r#"[{{"usageDate":"2026-01-18T00:00:00Z","usageResourceId":"8f2d61c4-5b7e-4f0a-9c33-1d7e60b2a915",
            "dimension":"d","submittedQuantity":{submitted},"processedQuantity":1E-06,"submittedCount":"2.0","new":{{}}}}]"#
        )
    };
    for (text, submitted) in [
        ("117.534246", dec!(117.534246)),
        ("\"117.534246\"", dec!(117.534246)),
        ("39.623287000000005", dec!(39.623287)),
        ("16.999999999999996", dec!(17)),
        ("17.0000004", dec!(17.0000004)),
        ("9007199254740993", dec!(9007199254740993)),
        ("-2.5", dec!(-2.5)),
    ] {
        let found = usage_days(&day(text)).unwrap().remove(0);
        assert_eq!((found.submitted, found.processed, found.count), (submitted, dec!(0.000001), 2), "{text}");
        assert_eq!(found.resource_id, Some(uuid!("8f2d61c4-5b7e-4f0a-9c33-1d7e60b2a915")));
    }
}

/// A row that is left out would look like nothing reported.
#[test]
fn a_row_that_cannot_be_placed_makes_the_answer_unreadable() {
    let good = r#"{"usageDate":"2026-01-18"}"#;
    for bad in [
        "{}",
        r#"{"usageDate":"0001-01-01T00:00:00"}"#,
        r#"{"usageDate":"2026-01-18","submittedQuantity":"117.534246 units"}"#,
        r#"{"usageDate":"2026-01-18","processedQuantity":"NaN"}"#,
        r#"{"usageDate":"2026-01-18","submittedCount":1.5}"#,
        r#"{"usageDate":"2026-01-18","submittedCount":-1}"#,
        r#"{"usageDate":3}"#,
        "null",
    ] {
        let error = usage_days(&format!("[{good},{bad}]")).unwrap_err();
        assert!(matches!(&error, MarketplaceError::Unreadable(text) if !text.contains("117")), "{bad}: {error:?}");
    }
    for text in ["{}", "{\"value\":[]}", "<html>", "\"117.534246\"", "[", "3"] {
        let error = usage_days(text).unwrap_err();
        assert!(matches!(&error, MarketplaceError::Unreadable(words) if !words.contains("117")), "{text}: {error:?}");
    }
}
