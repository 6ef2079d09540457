//! Writing ended attempts, whatever form the database keeps their deliveries in.

use super::error::StoreError;
use super::ledger::LedgerSettings;
use super::settlement::Settlement;
use super::store::Store;

impl Store {
    /// Writes ended attempts, each as its delivery's form asks. It waits for no other session: what one holds is
    /// `Settled::locked`. Idempotent: what was written before is refused the second time, or has no effect.
    ///
    /// # Errors
    /// Only what passes. Then it is called again with the same settlement, and goes on where it was.
    pub async fn settle(
        &self,
        settlement: &mut Settlement,
        ledger: LedgerSettings<'_>,
    ) -> Result<(), StoreError> {
        let lease = settlement.lease();
        while let Some(outcomes) = settlement.outcomes() {
            let finished = self.bounded(self.finish(lease, ledger, outcomes)).await;
            match finished {
                Ok(finished) => settlement.finish(&finished),
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => settlement.refuse_outcomes(&error),
            }
        }
        let accepted = match settlement.completions() {
            Some((completions, emptied)) => {
                let completing = self.complete(lease, ledger, completions, &emptied);
                self.bounded(completing).await
            }
            None => Ok(0),
        };
        match accepted {
            Ok(accepted) => settlement.complete(accepted),
            Err(error) if error.is_passing() => return Err(error),
            Err(error) => settlement.refuse_completions(&error),
        }
        Ok(())
    }
}
