package warehouse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"groundwork/warehouse/stats"
)

// Ends of an issue's spell beyond the causes of package stats. Those from endMerged on are left out, and counted.
const (
	endAwaiting = 5  // claimed, and awaiting the verdict: censored at the claim
	endMerged   = 8  // the same matter as its target, where it is measured
	endInvalid  = 9  // an event before the origin: the source's times contradict each other
	endGone     = 10 // outside of what the measure counts, looked at for its flow alone
)

// cell is what ClickHouse hands over about one cell: a life table, and counts.
type cell struct {
	key      cellKey
	rows     []stats.LifeRow // one for each time, in order once all are counted
	linedUp  int64           // rows of the first numbers, each of which stands where its number says, while they are counted
	at       map[int64]int64 // while they are counted, where the row of any other number is
	n        int64           // issues in the rows
	awaiting int64           // of them claims that await a verdict
	claims   int64           // issues ever claimed
	verdicts int64           // issues with a verdict of a citizen
	unseen   int64           // open issues last observed before as-of
	recent   int64           // ended during the last 90 days
	inflow   int64
	outflow  int64
	merged   int64
	invalid  int64
}

// grid is how exits are counted: times are rounded up to its points, so that "within 24 hours" and "over 60 days" stay exact on each grid.
type grid struct {
	seconds int64  // of one unit
	number  string // SQL of the number of the point for units
	note    string
	dense   int                                      // numbers below it are counted in an array, if there are few cells; 0 = all by themselves
	units   func(int64) int64                        // of the point with a number; nil = the number
	stored  func(point string, longest int64) string // SQL of the number, of that by hour; nil = the base does not tell
}

// hourNumber numbers hours during 30 days, days up to 400, then weeks.
const (
	hourNumber   = "multiIf(units <= 720, units, units <= 9600, intDiv(units + 23, 24) + 690, intDiv(units + 167, 168) + 1033)"
	longestHours = 10_000_000 // beyond which nothing is
)

var (
	bySecond = grid{seconds: 1, number: "units"}
	// byHour has few points, however many issues there are. Up to nine years lie on the dense part.
	byHour = grid{seconds: 3600, number: hourNumber, dense: 1500, units: hoursOfNumber,
		stored: func(point string, longest int64) string {
			return "least(" + point + ", " + strings.ReplaceAll(hourNumber, "units", strconv.FormatInt(min(longest, longestHours)+1, 10)) + ")"
		},
		note: "times are counted in whole hours up to 30 days, in days up to 400, then in weeks, since there are so many"}
	// byDay has few points even for many cells. Only shares at a whole day are asked of it: mean times would be half a day too long.
	byDay = grid{seconds: secondsPerDay, number: "units", dense: equityDays + 2,
		stored: func(point string, longest int64) string {
			return "least(" + point + " <= 720 ? intDiv(" + point + " + 23, 24) : " + point + " - 690, " + strconv.FormatInt(longest+1, 10) + ")"
		},
		note: "times are counted in whole days, since there are so many"}
)

// hoursOfNumber undoes the number of byHour.
func hoursOfNumber(number int64) int64 {
	switch {
	case number <= 720:
		return number
	case number <= 1090:
		return (number - 690) * 24
	}
	return (number - 1033) * 168
}

// days is the time of the point with a number.
func (g grid) days(number int64) float64 {
	if g.units != nil {
		number = g.units(number)
	}
	return float64(number*g.seconds) / secondsPerDay
}

// fineTotal is the number of issues up to which the base is asked by second at first; beyond, the grid would overflow.
const fineTotal = 500_000

const (
	secondsPerDay = 86400
	flowDays      = 28
)

// spell is one of the ways in which an issue is followed to an end: SQL over the columns of spells.
type spell struct {
	end    string   // how it ended
	micros string   // how long after its origin; -1 = it goes on, and was last seen at seenUntil
	point  string   // the number of its time by hour, in the base, where it does not go on
	phase  uint8    // what the base has of issues of which it does
	rest   []string // which of the others matter, each once; none = all
	kept   string   // the sums of the base that have the others by area, end and point; "" = none
	daily  string   // those by area, category, end and day; "" = none
	late   string   // which of the others the late sums count
	sums   func(*cell) []cellSum
	flow   bool  // cells matter for what flows through them, even with nobody in the life table
	days   int64 // after which nothing is asked: who left later stands at one later time; 0 = all is
}

// anyTime and lately are cellSums whose issues do not, and do, depend on the moment that is asked about.
func anyTime(target *int64, sql string) cellSum { return cellSum{target: target, sql: sql} }
func lately(target *int64, sql string) cellSum  { return cellSum{target: target, sql: sql, late: true} }

// endedLately is lately, of issues of which nothing goes on.
func endedLately(target *int64, sql string) cellSum {
	return cellSum{target: target, sql: sql, late: true, ended: true}
}

// cellSum is a number of a cell, and SQL of the issues that it counts.
type cellSum struct {
	target *int64
	sql    string
	late   bool // it depends on the moment that is asked about
	ended  bool // issues that go on do not count
}

// took is SQL of how many microseconds a spell took, or has taken when last seen.
func (how spell) took() string {
	return "(" + how.micros + " >= 0 ? " + how.micros + " : greatest(0, toUnixTimestamp64Micro(" + seenUntil + ") - toUnixTimestamp64Micro(origin_at)))"
}

// lifeTables counts, per cell, the issues by how and when their spell ended, on the first of the grids on which the counts fit the guard. Cells with nobody
// in the life table matter only for a flow.
func (m *Measures) lifeTables(ctx context.Context, s *scope, t *Table, how spell, grids func(*scope) []grid) (map[cellKey]*cell, error) {
	if err := m.useBase(ctx, s, issueBase); err != nil {
		return nil, err
	}
	if err := m.nameMatters(ctx, s); err != nil {
		return nil, err
	}
	for _, g := range grids(s) {
		cells, err := m.lifeTablesOn(ctx, s, how, g)
		if exceptionCode(err) == codeTooManyRows || errors.Is(err, errTooManyCounts) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if g.note != "" {
			t.Notes = append(t.Notes, g.note)
		}
		for _, c := range cells {
			t.exclude("merged", c.merged)
			t.exclude("eventBeforeOrigin", c.invalid)
			if c.n == 0 && (!how.flow || c.inflow+c.outflow == 0) {
				delete(cells, c.key)
			}
		}
		return cells, nil
	}
	return nil, invalid("By", "the split gives more cells than one answer can hold; split by less, roll regions up to a level, or narrow the filter")
}

// grids are those to try, from the finest.
func (m *Measures) grids(s *scope) []grid {
	if m.many(s) {
		return byItself(byHour)
	}
	return append([]grid{bySecond}, byItself(byHour)...)
}

// gridsOfShares are those for a share at some whole day, for which days do: which censorings of a day came before an event of it hardly matters.
func (m *Measures) gridsOfShares(s *scope) []grid {
	if m.many(s) {
		return byItself(byDay)
	}
	return slices.Concat([]grid{bySecond}, byItself(byHour), byItself(byDay))
}

// many reports whether there are too many issues to try to count them by second.
func (m *Measures) many(s *scope) bool { return m.coarse || s.base != nil && s.base.total > fineTotal }

// byItself is a grid as it is, for few cells, and with each point counted by itself, for many; the counts are the same.
func byItself(g grid) []grid {
	sparse := g
	sparse.dense = 0
	return []grid{g, sparse}
}

func (t *Table) exclude(reason string, n int64) {
	if n > 0 {
		t.Excluded[reason] += n
	}
}

func (m *Measures) lifeTablesOn(ctx context.Context, s *scope, how spell, on grid) (map[cellKey]*cell, error) {
	cells := map[cellKey]*cell{}
	var lock sync.Mutex
	var asked []func() error
	for _, statement := range s.lifeStatements(how, on) {
		switch {
		case on.dense == 0:
		case s.packs(on):
			statement.maxGroups = m.maxCounts
		default:
			statement.maxGroups = min(m.maxGroups, max(1, m.maxCounts/uint64(on.dense)))
		}
		asked = append(asked, func() error { return m.countByTime(ctx, s, statement, how, on, &lock, cells) })
	}
	err := together(asked...)
	for _, c := range cells {
		c.inOrder()
	}
	return cells, err
}

// errTooManyCounts is of an answer that holds more counts than fit the guard.
var errTooManyCounts = errors.New("too many counts")

// countByTime adds what a statement counted to the cells.
func (m *Measures) countByTime(ctx context.Context, s *scope, statement statement, how spell, on grid, lock sync.Locker, cells map[cellKey]*cell) error {
	var ending uint8
	var n int64
	var dense, numbers, counts counts
	var found cell
	targets, key := s.scanKeys()
	targets = append(targets, &ending)
	if s.packs(on) {
		targets, key = s.scanPacked(&ending)
	}
	most, received := cmp.Or(statement.maxGroups, m.maxGroups), uint64(0)
	targets = append(targets, &n, &dense, &numbers, &counts)
	for _, sum := range how.counted(&found) {
		targets = append(targets, sum.target)
	}
	return m.each(ctx, "count issues by time", statement, func(scan func(...any) error) error {
		if err := scan(targets...); err != nil {
			return err
		}
		if received += uint64(len(counts)); received > most && s.packs(on) {
			return errTooManyCounts
		}
		lock.Lock()
		defer lock.Unlock()
		k := key()
		c := cells[k]
		if c == nil {
			c = &cell{key: k}
			cells[k] = c
		}
		into := how.counted(c)
		for i, sum := range how.counted(&found) {
			*into[i].target += *sum.target
		}
		switch ending {
		case endMerged:
			c.merged += n
		case endInvalid:
			c.invalid += n
		case endGone:
		default:
			c.n += n
			if ending == endAwaiting {
				c.awaiting += n
			}
			c.count(ending, dense, numbers, counts, on)
		}
		return nil
	})
}

// counts is an array of whole numbers that comes as its text: the driver reads the elements of an array one by one, by reflection, which took longer than
// to count them.
type counts []int64

// Scan reads the text that the engine makes of an array.
func (c *counts) Scan(value any) error {
	text, is := value.(string)
	if !is {
		return fmt.Errorf("read counts: %T is no text", value)
	}
	*c = (*c)[:0]
	list := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	for at := 0; at < len(list); at++ { // strconv took five times as long
		negative := list[at] == '-'
		if negative {
			at++
		}
		n, from := int64(0), at
		for ; at < len(list) && '0' <= list[at] && list[at] <= '9' && n <= maxTenth; at++ {
			n = 10*n + int64(list[at]-'0')
		}
		if at == from || at < len(list) && list[at] != ',' {
			return fmt.Errorf("read counts: %q is no list of whole numbers", text)
		}
		if negative {
			n = -n
		}
		*c = append(*c, n)
	}
	return nil
}

// maxTenth is that to which a digit can be added.
const maxTenth = math.MaxInt64/10 - 1

// count takes in the issues that ended in one way, by the numbers of their times.
func (c *cell) count(ending uint8, dense, numbers, counts counts, on grid) {
	if c.linedUp == 0 && (len(dense) > 0 || len(numbers) > on.dense/2 && on.dense > 0) {
		c.lineUp(on)
	}
	for number, n := range dense {
		leave(&c.rows[number], ending, n)
	}
	for i, number := range numbers {
		leave(&c.rows[c.rowOf(number, on)], ending, counts[i])
	}
}

// lineUp gives each number of a dense grid a row of its own, where half of them will be needed: no map tells then where it is.
func (c *cell) lineUp(on grid) {
	rows, at := c.rows, c.at
	c.rows, c.linedUp, c.at = make([]stats.LifeRow, on.dense), int64(on.dense), nil
	for number := range c.rows {
		c.rows[number].Time = on.days(int64(number))
	}
	for number, row := range at {
		c.rows[c.rowOf(number, on)] = rows[row]
	}
}

// rowOf is where the row of a number is.
func (c *cell) rowOf(number int64, on grid) int64 {
	if 0 <= number && number < c.linedUp {
		return number
	}
	row, has := c.at[number]
	if !has {
		row = int64(len(c.rows))
		if c.at == nil {
			c.at = map[int64]int64{}
		}
		c.at[number] = row
		c.rows = append(c.rows, stats.LifeRow{Time: on.days(number)})
	}
	return row
}

// inOrder puts the rows in order, as curves are fitted to them: each cell has several.
func (c *cell) inOrder() {
	c.linedUp, c.at = 0, nil
	c.rows = slices.DeleteFunc(c.rows, func(r stats.LifeRow) bool { return r.Events == [len(r.Events)]float64{} })
	slices.SortFunc(c.rows, func(a, b stats.LifeRow) int { return cmp.Compare(a.Time, b.Time) })
}

// leave adds n issues that left in some way.
func leave(r *stats.LifeRow, ending uint8, n int64) {
	if ending == endAwaiting {
		r.Awaiting += float64(n)
		ending = uint8(stats.Censored)
	}
	r.Events[ending] += float64(n)
}

// part is a part of the issues of the base.
type part int

const (
	isOver part = iota // those whose number it tells
	goesOn             // those that go on, and are seen until as-of
	singly             // all others: observed up to some moment alone, or changed since
)

// counting is how the time of a spell comes to its number on a grid.
type counting struct {
	spell
	grid
	of part
}

// longest is the number of units after which nothing is asked.
func (c counting) longest() int64 {
	if c.spell.days > 0 {
		return c.spell.days * secondsPerDay / c.seconds
	}
	return math.MaxInt64 - 1
}

// numbered adds the number to rows.
func (c counting) numbered(rows string) string {
	return "SELECT * EXCEPT (units), toInt64(" + c.end + " < 8 ? " + c.number + " : 0) AS number FROM (" +
		"SELECT *, least(intDiv(" + c.took() + " + {unit:Int64} - 1, {unit:Int64}), {longest:Int64} + 1) AS units FROM (" + rows + "))"
}

// told are rows of the base with the number that it tells.
func (c counting) told(of func(w, condition string) string) string {
	which, number := " AND phase IN ("+c.phases(isOver)+")", "w, toInt64("+c.stored(c.point, c.longest())+") AS number"
	if len(c.rest) == 0 {
		return of(number, which)
	}
	all := make([]string, len(c.rest)) // by themselves, as the engine passes over what none of several conditions can meet only where each stands alone
	for i, rest := range c.rest {
		all[i] = of(number, which+" AND "+rest)
	}
	return strings.Join(all, " UNION ALL ")
}

// Bits of the phase of an issue in the base (schema/00380_base_by_time.sql).
const (
	phaseUnresolved = 1 << iota
	phaseUnanswered
	phaseOpen
	phaseMerged   // into another
	phaseObserved // something goes on, and was observed up to some moment alone
)

// phases lists those of a part of the base.
func (c counting) phases(of part) string {
	var all []string
	for phase := range uint8(2 * phaseObserved) {
		if c.partOf(phase) == of {
			all = append(all, strconv.Itoa(int(phase)))
		}
	}
	return strings.Join(all, ", ")
}

func (c counting) partOf(phase uint8) part {
	switch {
	case phase&c.phase == 0:
		return isOver
	case phase&phaseObserved == 0:
		return goesOn
	}
	return singly
}

// lifeStatements group the spells by cell, how they ended, and when, with the times of a cell in arrays: on a dense grid the counts by number, beside them the
// numbers that lie beyond it; on others, and where keys can be packed, all numbers with their counts. Of the base those of which it tells the number are asked for beside the others: a
// statement of both takes the engine twice as long to understand.
func (s *scope) lifeStatements(how spell, on grid) []statement {
	if s.base == nil || on.stored == nil {
		rows := s.spells()
		rows.text = counting{spell: how, grid: on}.numbered(rows.text)
		return []statement{s.lifeStatement(rows, how, on)}
	}
	counted := func(how spell, part part) statement {
		of, own := *s, *s.base
		own.counts, of.base = &counting{how, on, part}, &own
		return s.lifeStatement(of.spells(), how, on)
	}
	all := []statement{counted(how.ongoing(), goesOn)}
	all[0].text = strings.ReplaceAll(all[0].text, seenUntil, asOf)
	if s.base.tail > 0 || s.base.observed {
		all = append(all, counted(how, singly))
	}
	kept, number := s.keptTimes(counting{how, on, isOver})
	if kept == "" {
		return append(all, counted(how, isOver))
	}
	all = append(all, s.summedStatement(s.timesByArea(counting{how, on, isOver}, kept, number), how.only(false)))
	if how.late != "" {
		late := how.only(true)
		late.end, late.point, late.rest = "toUInt8("+strconv.Itoa(endGone)+")", "0", []string{how.late}
		all = append(all, counted(late, isOver))
	}
	return all
}

// without is the spell with the sums that are not asked for set to nothing.
func (how spell) without(unasked func(cellSum) bool) spell {
	of := how.sums
	how.sums = func(c *cell) []cellSum {
		if of == nil {
			return nil
		}
		all := of(c)
		for i := range all {
			if unasked(all[i]) {
				all[i].sql = "0"
			}
		}
		return all
	}
	return how
}

// only is the spell with its late sums alone, or with the others.
func (how spell) only(late bool) spell {
	return how.without(func(sum cellSum) bool { return sum.late != late })
}

// ongoing is the spell with what sums tell of issues that go on.
func (how spell) ongoing() spell { return how.without(func(sum cellSum) bool { return sum.ended }) }

// ending is SQL of the end that a spell counts as.
func (how spell) ending() string {
	if how.days > 0 {
		return "transform(" + how.end + ", [5, 3, 4], [0, 2, 2])" // the other ends compete alike
	}
	return how.end
}

func (s *scope) lifeStatement(rows statement, how spell, on grid) statement {
	ending := how.ending()
	rows = rows.with("unit", on.seconds*1_000_000).with("longest", counting{spell: how, grid: on}.longest())
	var sums, gathered strings.Builder
	for i, sum := range how.counted(&cell{}) {
		fmt.Fprintf(&sums, ", toInt64(sumIf(w, %s)) AS sum%d", sum.sql, i)
		fmt.Fprintf(&gathered, ", sum(sum%d)", i)
	}
	if s.packs(on) {
		return s.packed(rows, ending, sums.String(), gathered.String())
	}
	rows.text = "SELECT *, " + ending + " AS ending FROM (" + rows.text + ")"
	if on.dense == 0 {
		return s.gathered(&builder{}, rows, nil, "sum(n), '[]', toString(groupArray(number)), toString(groupArray(n))"+gathered.String(), "ending, number, toInt64(sum(w)) AS n"+sums.String(), []string{"ending"}, "number")
	}
	beyond := "number >= " + strconv.Itoa(on.dense)
	return s.byCell(&builder{}, rows, nil, fmt.Sprintf("ending, toInt64(sum(w)) AS n, toString(sumResample(0, %d, 1)(w, number)), toString(groupArrayIf(number, %[2]s)), toString(groupArrayIf(w, %[2]s))%s",
		on.dense, beyond, sums.String()), "ending")
}

// packs reports whether cell, end and number, which the base tells, go into 64 bits: ClickHouse makes groups of these twice as quickly as of several columns.
func (s *scope) packs(on grid) bool {
	return s.base != nil && on.stored != nil && !slices.ContainsFunc(s.By, func(d Dimension) bool { return d != ByRegion && (d != ByCategory || s.matters == nil) })
}

// packed groups rows by cell, end and number as one number, with 16 bits for the last.
func (s *scope) packed(rows statement, ending, sums, gathered string) statement {
	b := &builder{values: maps.Clone(rows.values)}
	b.write("SELECT bitShiftRight(packed, 16) AS cell, ", s.packedCode(b), ", sum(n), '[]', toString(groupArray(bitAnd(packed, 65535))), toString(groupArray(n))", gathered,
		" FROM (SELECT toUInt64(number + bitShiftLeft(", s.packedCell(b, ending), ", 16)) AS packed, toInt64(sum(w)) AS n", sums, " FROM (", rows.text, ") GROUP BY packed) GROUP BY cell")
	return b.statement()
}

// summedStatement answers like packed, of rows that are sums by place, end and number: where some are of the same, each comes by itself.
func (s *scope) summedStatement(rows statement, how spell) statement {
	b := &builder{values: maps.Clone(rows.values)}
	b.write("SELECT ", s.packedCell(b, how.ending()), " AS cell, ", s.packedCode(b), ", toInt64(sum(w)), '[]', toString(groupArray(number)), toString(groupArray(w))")
	for _, sum := range how.counted(&cell{}) {
		b.write(", toInt64(sumIf(w, ", sum.sql, "))")
	}
	b.write(" FROM (", rows.text, ") GROUP BY cell")
	return b.statement()
}

// packedCell is SQL of the cell and end of a row as one number: 24 bits of region, 20 of category, 4 of end.
func (s *scope) packedCell(b *builder, ending string) string {
	all := "toUInt64(" + ending + " AS ending)"
	if s.split(ByCategory) {
		all += " + bitShiftLeft(toUInt64(transform(ifNull(category_id, ''), {matters:Array(String)}, arrayEnumerate({matters:Array(String)}), toUInt32(0))), 4)"
		b.value("matters", s.matters)
	}
	if s.split(ByRegion) {
		all += " + bitShiftLeft(toUInt64(region_place), 24)"
	}
	return all
}

// packedCode is SQL of the code of the region of a packed cell, where its place is not known here.
func (s *scope) packedCode(b *builder) string {
	if s.split(ByRegion) && s.places == nil {
		return "arrayElement(" + s.regionCodes(b) + ", bitShiftRight(cell, 24))"
	}
	return "''"
}

// scanPacked is scanKeys of what packed hands over, with the end.
func (s *scope) scanPacked(ending *uint8) (targets []any, key func() cellKey) {
	var cell uint64
	var code string
	return []any{&cell, &code}, func() (k cellKey) {
		*ending = uint8(cell & 15)
		matter, place := cell>>4&(1<<20-1), cell>>24
		for i, d := range s.By {
			switch {
			case d == ByCategory && matter > 0:
				k[i] = s.matters[matter-1]
			case d == ByRegion && s.places == nil:
				k[i] = code
			case d == ByRegion && place > 0:
				k[i] = s.places.codes[place-1]
			}
		}
		return k
	}
}

// counted are the numbers that spells of this kind tell of a cell.
func (how spell) counted(c *cell) []cellSum {
	if how.sums == nil {
		return nil
	}
	return how.sums(c)
}

func (c *cell) total(cause stats.Cause) float64 {
	var n float64
	for _, r := range c.rows {
		n += r.Events[cause]
	}
	return n
}
