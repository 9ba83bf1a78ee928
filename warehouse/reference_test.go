package warehouse_test

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"groundwork/warehouse"
)

// The measures again, row by row and straight from their definitions, for comparison.

// exit is how one issue leaves observation: after days, by cause (0 = censored).
type exit struct {
	days     float64
	cause    int
	awaiting bool
}

func daysSince(origin, at time.Time) float64 {
	return math.Ceil(float64(at.Sub(origin).Microseconds())/1e6) / 86400
}

func seenUntil(i issue, asOf time.Time) time.Time {
	if i.ObservedUntil != nil && i.ObservedUntil.Before(asOf) {
		asOf = *i.ObservedUntil
	}
	return latest(asOf, i.Origin)
}

func responseExit(i issue, asOf time.Time) exit {
	switch {
	case i.FirstResponse != nil:
		return exit{daysSince(i.Origin, *i.FirstResponse), 1, false}
	case i.State == "CLOSED" && *i.Closure == "WITHDRAWN":
		return exit{daysSince(i.Origin, *i.Closed), 0, false}
	}
	return exit{daysSince(i.Origin, seenUntil(i, asOf)), 0, false}
}

func resolutionExit(i issue, asOf time.Time) exit {
	causes := map[string]int{"CONFIRMED": 1, "EXPLAINED": 2, "REFERRED_OUT": 2, "UNCONFIRMED": 3, "WITHDRAWN": 4}
	switch {
	case i.Resolved != nil:
		return exit{daysSince(i.Origin, *i.Resolved), 1, false}
	case i.State == "CLOSED":
		return exit{daysSince(i.Origin, *i.Closed), causes[*i.Closure], false}
	case i.State == "CLAIMED":
		return exit{daysSince(i.Origin, *i.Claimed), 0, true}
	}
	return exit{daysSince(i.Origin, seenUntil(i, asOf)), 0, false}
}

// share is the cumulative incidence by so many days: Aalen–Johansen of one cause, or, with cause 0, 1 − Kaplan–Meier.
func share(exits []exit, cause int, at float64) (value float64, known bool) {
	survival, incidence, last := 1.0, 0.0, 0.0
	for _, t := range eventTimes(exits) {
		if t > at {
			break
		}
		risk, any, this := 0.0, 0.0, 0.0
		for _, x := range exits {
			if x.days >= t {
				risk++
			}
			if x.days == t && x.cause > 0 {
				any++
				if x.cause == cause || cause == 0 {
					this++
				}
			}
		}
		incidence += survival * this / risk
		survival *= 1 - any/risk
	}
	for _, x := range exits {
		last = max(last, x.days)
	}
	return incidence, last >= at || survival < 1e-12
}

func eventTimes(exits []exit) (times []float64) {
	for _, x := range exits {
		if x.cause > 0 {
			times = append(times, x.days)
		}
	}
	slices.Sort(times)
	return slices.Compact(times)
}

func quantile(exits []exit, p float64) *float64 {
	for _, t := range eventTimes(exits) {
		if f, _ := share(exits, 0, t); f >= p-1e-12 {
			return &t
		}
	}
	return nil
}

// restricted is the mean of min(time, tau) by the area under the survival curve.
func restricted(exits []exit, tau float64) (area float64) {
	from, survival := 0.0, 1.0
	for _, t := range eventTimes(exits) {
		if t > tau {
			break
		}
		area += survival * (t - from)
		f, _ := share(exits, 0, t)
		from, survival = t, 1-f
	}
	return area + survival*(tau-from)
}

// key is the code of each dimension, as a table has it.
func (w *world) key(i issue, q warehouse.Query) string {
	location, _ := time.LoadLocation(cmp.Or(q.Timezone, "Asia/Shanghai"))
	var parts []string
	for _, d := range q.By {
		switch d {
		case warehouse.ByRegion:
			parts = append(parts, w.regionCode(i, q.RegionLevel))
		case warehouse.ByCategory:
			code := ""
			for _, c := range w.categories {
				if i.Category != nil && c.ID == *i.Category {
					code = c.Code
				}
			}
			parts = append(parts, code)
		case warehouse.ByMonth:
			parts = append(parts, i.Origin.In(location).Format("2006-01"))
		case warehouse.ByChannel:
			parts = append(parts, i.Channel)
		case warehouse.ByKind:
			parts = append(parts, i.Kind)
		}
	}
	return strings.Join(parts, "|")
}

func (w *world) regionOf(i issue) *region {
	for k := range w.regions {
		if i.Region != nil && w.regions[k].ID == *i.Region {
			return &w.regions[k]
		}
	}
	return nil
}

func (w *world) regionCode(i issue, level string) string {
	r := w.regionOf(i)
	if r == nil {
		return ""
	}
	if level == "" {
		return r.Code
	}
	for _, code := range strings.Split(r.Path, ".") {
		for _, ancestor := range w.regions {
			if ancestor.Code == code && ancestor.Level == level {
				return code
			}
		}
	}
	return ""
}

func (w *world) matches(i issue, f warehouse.Filter) bool {
	r := w.regionOf(i)
	return (len(f.Regions) == 0 || r != nil && slices.ContainsFunc(f.Regions, func(code string) bool { return strings.Contains(r.Path, code) })) &&
		(!f.RegionUnknown || r == nil) &&
		(len(f.Categories) == 0 || i.Category != nil && slices.ContainsFunc(f.Categories, func(id string) bool { return w.under(*i.Category, id) })) &&
		(len(f.Channels) == 0 || slices.Contains(f.Channels, i.Channel)) &&
		(len(f.Kinds) == 0 || slices.Contains(f.Kinds, i.Kind)) &&
		(len(f.Severities) == 0 || slices.Contains(f.Severities, i.Severity)) &&
		(f.OriginFrom == nil || !i.Origin.Before(*f.OriginFrom)) && (f.OriginTo == nil || i.Origin.Before(*f.OriginTo))
}

func (w *world) under(id uuid.UUID, ancestor string) bool {
	if id.String() == ancestor {
		return true
	}
	for _, c := range w.categories {
		if c.ID == id && c.Parent != nil {
			return w.under(*c.Parent, ancestor)
		}
	}
	return false
}

// cells splits the issues that a query looks at; merged ones come apart.
func (w *world) cells(q warehouse.Query) (cells map[string][]issue, merged int64) {
	cells = map[string][]issue{}
	for _, i := range w.asKnown(q.AsOf) {
		if !w.matches(i, q.Where) {
			continue
		}
		if i.State == "MERGED" {
			merged++
			continue
		}
		k := w.key(i, q)
		cells[k] = append(cells[k], i)
	}
	return cells, merged
}

// rowKey is the same of a row of a table.
func rowKey(t *warehouse.Table, row int) string {
	var parts []string
	for _, d := range t.Dims {
		parts = append(parts, d.Keys[row].Code)
	}
	return strings.Join(parts, "|")
}
