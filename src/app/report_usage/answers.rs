//! What has come of attempts and is not written yet. While one lane writes, the others' answers gather; the next one writes
//! all of them in one transaction.

use std::sync::{Mutex, PoisonError};

use super::{
    Round,
    send::Heard,
    settle::{self, Attempt},
};
use crate::{app::AppError, domain::usage::decide_verdict, store::UsageEvent};

/// Answers that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Answers {
    waiting: Mutex<Vec<Attempt>>,
    /// Whose turn it is to write them. (Slots are taken meanwhile: PostgreSQL does both at once.)
    writing: tokio::sync::Mutex<()>,
}

impl Answers {
    /// Keeps what was heard of a batch. It may be another lane that writes it; then it is that one's error, too.
    pub(super) async fn keep(
        &self,
        round: &Round<'_>,
        batch: Vec<UsageEvent>,
        heard: Vec<Heard>,
    ) -> Result<(), AppError> {
        let attempts = batch.into_iter().zip(heard).map(|(event, heard)| {
            let verdict = decide_verdict(heard.said, event.quantity, event.in_doubt);
            Attempt { event, verdict, words: heard.words }
        });
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).extend(attempts);
        let _turn = self.writing.lock().await;
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        settle::write(round, &waiting).await
    }
}
