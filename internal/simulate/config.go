package simulate

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"groundwork"
)

// Config says what to simulate.
type Config struct {
	Issues int64
	Seed   uint64
	From   time.Time // first day
	To     time.Time // the day after the last: the present of the simulated province

	// Calendar of the years that it knows; other years have the holidays whose dates are the same every year.
	Calendar groundwork.Calendar
}

const (
	minDays   = 365
	maxDays   = 3660
	maxIssues = 1_000_000_000
)

// Validate reports every fault, each with its remedy.
func (c Config) Validate() error {
	var faults []error
	if c.Issues < 1 || c.Issues > maxIssues {
		faults = append(faults, fmt.Errorf("%d issues: give 1 to %d", c.Issues, maxIssues))
	}
	if days := c.days(); days < minDays || days > maxDays {
		faults = append(faults, fmt.Errorf("%s to %s is %d days: give one to ten years, so that seasons and policies can be seen",
			c.From.Format(time.DateOnly), c.To.Format(time.DateOnly), days))
	}
	return errors.Join(faults...)
}

func (c Config) days() int { return int(c.To.Sub(c.From) / (24 * time.Hour)) }

// Day is the start of a day in the province.
func Day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, groundwork.China)
}

// ParseDay reads a day of the province, written as 2026-01-31.
func ParseDay(text string) (time.Time, error) {
	return time.ParseInLocation(time.DateOnly, text, groundwork.China)
}

// Parameters are all that the data follow from.
func (c Config) Parameters() map[string]string {
	return map[string]string{"seed": fmt.Sprint(c.Seed), "issues": fmt.Sprint(c.Issues),
		"from": groundwork.DayOf(c.From), "to": groundwork.DayOf(c.To), "calendar": c.calendarSum(), "generator": generation}
}

// calendarSum tells one calendar from another.
func (c Config) calendarSum() string {
	h := fnv.New32a()
	for _, day := range slices.Sorted(maps.Keys(c.Calendar)) {
		fmt.Fprintln(h, day, c.Calendar[day])
	}
	return fmt.Sprintf("%08x", h.Sum32())
}

// generation changes whenever the same options give other data.
const generation = "5"

// DefaultConfig simulates the three years up to today.
func DefaultConfig(issues int64, seed uint64, now time.Time) Config {
	to := startOfDay(now)
	return Config{Issues: issues, Seed: seed, From: to.AddDate(-3, 0, 0), To: to}
}
