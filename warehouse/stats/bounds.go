package stats

// Bounds are two curves between which the truth lies whatever the citizens will
// answer to the claims that still await feedback (Manski bounds, measure T2).
type Bounds struct {
	// NoneConfirmed takes every awaiting claim as unconfirmed at its claimed
	// time, AllConfirmed as confirmed then.
	NoneConfirmed, AllConfirmed *Curve
}

// FitBounds fits both curves. The rows are those given to [Fit]: awaiting claims
// stand there as censored, counted once more in Awaiting.
func FitBounds(rows []LifeRow) (Bounds, error) {
	none, err := Fit(settleAwaiting(rows, Unconfirmed))
	if err != nil {
		return Bounds{}, err
	}
	all, err := Fit(settleAwaiting(rows, Confirmed))
	if err != nil {
		return Bounds{}, err
	}
	return Bounds{NoneConfirmed: none, AllConfirmed: all}, nil
}

// Confirmed is the lower and the upper estimate of the share confirmed by t days.
func (b Bounds) Confirmed(t float64) (lower, upper Estimate, err error) {
	if lower, err = b.NoneConfirmed.CIF(Confirmed, t); err != nil {
		return lower, upper, err
	}
	upper, err = b.AllConfirmed.CIF(Confirmed, t)
	return lower, upper, err
}

// settleAwaiting turns the awaiting claims into events of the given cause. A row
// that counts more awaiting than censored is left for Fit to reject.
func settleAwaiting(rows []LifeRow, cause Cause) []LifeRow {
	settled := make([]LifeRow, len(rows))
	for i, r := range rows {
		if r.Awaiting >= 0 && r.Awaiting <= r.Events[Censored] {
			r.Events[Censored] -= r.Awaiting
			r.Events[cause] += r.Awaiting
			r.Awaiting = 0
		}
		settled[i] = r
	}
	return settled
}
