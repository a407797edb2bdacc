//! A round of giving lanes back and claiming others, in one transaction.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::OwnedSemaphorePermit;

use crate::claim::{Claim, claim_in, next_ready};
use crate::error::QueueError;
use crate::finish;
use crate::item::{LaneLease, Queue};
use crate::runner::RunnerConfig;
use crate::task::split;

/// A round of giving back and claiming, in one transaction.
pub(crate) struct Round {
    pub pool: PgPool,
    pub queue: Queue,
    pub config: RunnerConfig,
    pub finished: Vec<Arc<LaneLease>>,
    /// Leases to renew first.
    pub renewed: Vec<Arc<LaneLease>>,
    pub places: Option<OwnedSemaphorePermit>,
    /// So many of them for lanes that nobody waits for.
    pub bulk: u32,
}

/// What came of a round.
pub(crate) struct Claimed {
    /// Leases that are not given back yet.
    pub finished: Vec<Arc<LaneLease>>,
    pub places: Option<OwnedSemaphorePermit>,
    /// Claimed lanes, and when something is ready next; `None` if there may be more now.
    pub outcome: Result<(Vec<LaneLease>, Option<Duration>), QueueError>,
}

impl Round {
    pub async fn run(mut self) -> Claimed {
        let outcome = self.transaction().await;
        Claimed { finished: self.finished, places: self.places, outcome }
    }

    async fn transaction(&mut self) -> Result<(Vec<LaneLease>, Option<Duration>), QueueError> {
        let free = self.places.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let lanes = u32::try_from(free).unwrap_or(u32::MAX);
        let mut tx = self.pool.begin().await?;
        let released = finish::release_some(&mut tx, &self.finished.iter().map(Arc::as_ref).collect::<Vec<_>>()).await?;
        finish::renew(&mut tx, &self.renewed.iter().map(Arc::as_ref).collect::<Vec<_>>(), self.config.lease).await?;
        let what = Claim { lanes, bulk: self.bulk, items_per_lane: self.config.items_per_lane, lease: self.config.lease };
        let leases = if lanes == 0 { Vec::new() } else { claim_in(&mut tx, self.queue, what).await? };
        let more = leases.len() == free;
        let next = if more { None } else { Some(next_ready(&mut tx, self.queue, self.bulk > 0).await?.unwrap_or(self.config.poll)) };
        if let Err(error) = tx.commit().await {
            // Nobody knows whether it counts. If it does, the lanes must not stand still until their leases run out; if not, nothing is given back.
            self.finished.extend(leases.into_iter().map(|lease| split(lease).0));
            return Err(error.into());
        }
        self.finished.retain(|lease| released.busy.contains(&lease.token));
        Ok((leases, next))
    }
}
