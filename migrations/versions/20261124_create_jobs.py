"""Create jobs, the truth of every piece of work, and the queue that only carries their ids (pgqueuer 1.6)."""
