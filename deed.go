package groundwork

import "time"

// Deed is what every step in the life of a noun has in common: who takes it, when, seen at which version, and why.
type Deed struct {
	Actor           Actor
	At              time.Time // when it happened; zero = now
	ExpectedVersion int       // optimistic locking: the thing's version as the caller saw it, 0 = do not check
	Reason          string
}

// Settle checks the deed against the thing that it is about, called name, at its version: nobody was first, and it happened neither
// in the future nor before the thing's last event (zero: it has none). It returns the deed with its time.
func (d Deed) Settle(name string, version int, last, now time.Time) (Deed, error) {
	if d.ExpectedVersion != 0 && d.ExpectedVersion != version {
		return d, Errorf(CodeConflict, "%s has moved on: it is at version %d, not %d; read it again", name, version, d.ExpectedVersion)
	}
	if d.At.IsZero() {
		d.At = later(Moment(now), last) // the clock of whoever wrote last may be ahead of ours
		return d, nil
	}
	d.At = Moment(d.At)
	return d, firstError(
		check(!d.At.After(now), "at", "%s lies in the future; give a time up to now", d.At.Format(time.RFC3339)),
		check(!d.At.Before(last), "at", "%s lies before the last event of %s (%s); give a later time", d.At.Format(time.RFC3339), name, last.Format(time.RFC3339)),
	)
}

// reasoned asks a deed for its reason.
func (d Deed) reasoned(verb string) error {
	return check(!blank(d.Reason), "reason", "%s needs a reason", verb)
}
