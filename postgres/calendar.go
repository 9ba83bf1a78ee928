package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"groundwork"
)

// HasCalendar reports whether any day is known to be worked, or not, against the rule of Monday to Friday.
func (db *DB) HasCalendar(ctx context.Context) (bool, error) {
	found, err := scalars[bool](ctx, db.reads(), "look for the calendar", "SELECT EXISTS (SELECT FROM calendar_day)", nil)
	return err == nil && found[0], err
}

// ImportHolidays implements groundwork.ReferenceImporter.
func (db *DB) ImportHolidays(ctx context.Context, by groundwork.Actor, rows []groundwork.HolidayRow, o groundwork.ReferenceOptions) (groundwork.ReferenceResult, error) {
	return db.importReference(ctx, by, "import holidays", len(rows), o, func(tx pgx.Tx, p *referencePlan) error {
		type entry struct {
			Day       time.Time
			IsWorkday bool
			Note      string
		}
		found, err := collect[entry](ctx, tx, "read calendar", "SELECT date AS day, is_workday, note FROM calendar_day", nil)
		if err != nil {
			return err
		}
		there := make(map[string]entry, len(found))
		for _, e := range found {
			there[e.Day.Format(time.DateOnly)] = e
		}
		named, years := map[string]bool{}, map[int]bool{}
		for _, row := range rows {
			day := row.Day.Format(time.DateOnly)
			named[day], years[row.Day.Year()] = true, true
			before, known := there[day]
			note := row.Note
			if note == "" {
				note = before.Note
			}
			args := pgx.NamedArgs{"day": row.Day, "worked": row.Worked, "note": note}
			if known {
				p.change(before.IsWorkday != row.Worked || before.Note != note, "UPDATE calendar_day SET is_workday = @worked, note = @note WHERE date = @day", args)
			} else {
				p.add("INSERT INTO calendar_day (date, is_workday, note) VALUES (@day, @worked, @note)", args)
			}
		}
		for day, e := range there {
			if o.Replace && years[e.Day.Year()] && !named[day] {
				p.result.Removed++
				p.writes = append(p.writes, statement{"DELETE FROM calendar_day WHERE date = @day", pgx.NamedArgs{"day": e.Day}})
			}
		}
		return nil
	})
}
