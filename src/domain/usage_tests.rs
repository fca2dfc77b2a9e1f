use time::macros::datetime;

use super::*;

const DUE: OffsetDateTime = datetime!(2026-02-14 10:30:14.5 UTC);

fn take(hour: OffsetDateTime, effective_start: OffsetDateTime) -> SlotDecision {
    SlotDecision::Take(Slot { hour, effective_start })
}

#[test]
fn a_charge_takes_its_own_hour_while_there_is_room() {
    let ten = datetime!(2026-02-14 10:00 UTC);
    let table = [
        ("at once", DUE, take(ten, DUE)),
        ("three hours later", DUE + Duration::hours(3), take(ten, DUE)),
        ("with just enough room", DUE + Duration::hours(22), take(ten, DUE)),
        (
            "without room: the hour of now",
            datetime!(2026-02-15 08:31 UTC),
            take(datetime!(2026-02-15 08:00 UTC), datetime!(2026-02-15 08:00 UTC)),
        ),
        (
            "three days later",
            datetime!(2026-02-17 12:59 UTC),
            take(datetime!(2026-02-17 12:00 UTC), datetime!(2026-02-17 12:00 UTC)),
        ),
        ("before its time", DUE - Duration::minutes(1), SlotDecision::WaitUntil(DUE)),
    ];
    for (name, now, expected) in table {
        assert_eq!(decide_slot(DUE, None, |_| false, now), expected, "{name}");
    }
}

#[test]
fn two_charges_that_want_one_slot_take_two_hours() {
    let taken = |hour| hour == datetime!(2026-02-14 10:00 UTC);
    let eleven = datetime!(2026-02-14 11:00 UTC);
    assert_eq!(decide_slot(DUE, None, taken, DUE), SlotDecision::WaitUntil(eleven));
    assert_eq!(decide_slot(DUE, None, taken, eleven), take(eleven, eleven));
}

#[test]
fn after_the_end_only_what_lies_before_it() {
    let ten = datetime!(2026-02-14 10:00 UTC);
    let end = datetime!(2026-02-14 12:15 UTC);
    let table = [
        ("soon", end + Duration::hours(1), vec![], take(ten, DUE)),
        ("its hour is closed, a later one before the end is open", datetime!(2026-02-15 11:30 UTC), vec![], {
            let twelve = datetime!(2026-02-14 12:00 UTC);
            take(twelve, twelve)
        }),
        ("nothing is open", datetime!(2026-02-15 12:10 UTC), vec![], SlotDecision::TooLate),
        ("its hour is taken", end, vec![ten], {
            let eleven = datetime!(2026-02-14 11:00 UTC);
            take(eleven, eleven)
        }),
        (
            "all hours are taken",
            end,
            vec![ten, datetime!(2026-02-14 11:00 UTC), datetime!(2026-02-14 12:00 UTC)],
            SlotDecision::TooLate,
        ),
    ];
    for (name, now, taken, expected) in table {
        assert_eq!(decide_slot(DUE, Some(end), |hour| taken.contains(&hour), now), expected, "{name}");
    }
}

#[test]
fn after_the_end_the_newest_hour_leaves_the_most_time_for_repeating() {
    let end = datetime!(2026-02-16 04:22 UTC);
    let (three, four) = (datetime!(2026-02-16 03:00 UTC), datetime!(2026-02-16 04:00 UTC));
    let table = [
        ("its own hour is closed", end, vec![], take(four, four)),
        ("the newest is taken", end + Duration::hours(1), vec![four], take(three, three)),
        ("only the newest is open", datetime!(2026-02-17 03:54 UTC), vec![], take(four, four)),
        ("and it is taken", datetime!(2026-02-17 03:54 UTC), vec![four], SlotDecision::TooLate),
    ];
    for (name, now, taken, expected) in table {
        assert_eq!(decide_slot(DUE, Some(end), |hour| taken.contains(&hour), now), expected, "{name}");
    }
    let on_the_hour = datetime!(2026-02-16 04:00 UTC);
    assert_eq!(decide_slot(DUE, Some(on_the_hour), |_| false, end), take(three, three), "not its own hour");
}

#[test]
fn the_bytes_are_the_recorded_shape_with_an_exact_number() {
    let slot = Slot { hour: datetime!(2026-02-14 10:00 UTC), effective_start: DUE };
    let quantity = Quantity::from_millionths(114_726_027).unwrap();
    let body = event_body(Uuid::nil(), "konnekt-25-user", "konnekt-yearly", quantity, slot).unwrap();
    assert_eq!(
        body,
        r#"{"resourceId":"00000000-0000-0000-0000-000000000000","quantity":114.726027,"dimension":"konnekt-25-user","effectiveStartTime":"2026-02-14T10:30:14.5Z","planId":"konnekt-yearly"}"#
    );
}

#[test]
fn an_answer_means_one_thing() {
    let sent = Quantity::whole(5);
    let other = Quantity::whole(6);
    let again = |in_doubt| Verdict::TryAgain { in_doubt };
    // What was said; the verdict on a first attempt; the verdict when an earlier one had no answer.
    let table = [
        (Said::Accepted(None), Verdict::Accepted, Verdict::Accepted),
        (Said::Accepted(Some(sent)), Verdict::Accepted, Verdict::Accepted),
        (Said::Accepted(Some(other)), Verdict::Conflict, Verdict::Conflict),
        (Said::Duplicate(Some(sent)), Verdict::Accepted, Verdict::Accepted),
        (Said::Duplicate(Some(other)), Verdict::Conflict, Verdict::Conflict),
        (Said::Duplicate(None), Verdict::Conflict, Verdict::Conflict),
        (Said::Expired, Verdict::TakeAnotherSlot, Verdict::Unknown),
        (Said::NotActive, Verdict::HoldAgain, again(true)),
        (Said::Refused, Verdict::Rejected, Verdict::Unknown),
        (Said::NotProcessed, again(false), again(true)),
        (Said::Unclear, again(true), again(true)),
    ];
    for (said, first, later) in table {
        assert_eq!(decide_verdict(said, sent, false), first, "{said:?} at first");
        assert_eq!(decide_verdict(said, sent, true), later, "{said:?} after an attempt without an answer");
    }
    assert_eq!((decide_closed(false), decide_closed(true)), (Verdict::TakeAnotherSlot, Verdict::Unknown));
}
