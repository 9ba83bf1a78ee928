package importer

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Columns of the message board, by the names of its exports in English and, as the board itself writes them, Chinese.
var messageColumns = []struct {
	name, chinese string
	required      bool
}{
	{"id", "留言编号", true},
	{"user", "留言用户", true},
	{"subject", "留言主题", true},
	{"posted_at", "留言时间", true},
	{"text", "留言详情", true},
	{"reply", "答复意见", false},
	{"replied_at", "答复时间", false},
	{"opposed", "反对数", false},
	{"supported", "点赞数", false},
}

// ReadMessages reads an export of the message board: CSV with a header, columns in any order, UTF-8 (with or without
// BOM) or GB18030; answered messages (reply, replied_at), open ones, or both. It fails only when the file as a whole
// cannot be understood (encoding, missing column); a bad row becomes a Reject and the reading goes on.
func ReadMessages(data []byte, name string, opt Options) (*File, error) {
	f := newFile(name, "id", data)
	text, encoding, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("read messages %s: %w", name, err)
	}
	f.Encoding = encoding
	rows := newRowReader(text)
	columns, err := readHeader(rows)
	if err != nil {
		return nil, fmt.Errorf("read messages %s: %w", name, err)
	}
	m := &messageReader{columns: columns, opt: opt, loc: opt.Location, now: opt.now(), places: newPlaceFinder(opt.province())}
	if m.loc == nil {
		m.loc = mustLoad("Asia/Shanghai")
	}
	rows.starts = m.startsRow
	m.readAll(rows, f)
	return f, nil
}

// readHeader maps column names to positions and names what is missing.
func readHeader(rows *rowReader) (map[string]int, error) {
	head, ok := rows.read()
	if !ok {
		return nil, fmt.Errorf("the file is empty; expected a header with %s", requiredColumns())
	}
	if head.fault != nil {
		return nil, fmt.Errorf("header line %d: %s", head.line, head.fault.reason)
	}
	columns := map[string]int{}
	for i, cell := range head.fields {
		name := canonicalColumn(cell)
		if _, twice := columns[name]; twice && name != "" {
			return nil, fmt.Errorf("column %q stands twice in the header; keep one", name)
		}
		columns[name] = i
	}
	var missing []string
	for _, c := range messageColumns {
		if _, ok := columns[c.name]; c.required && !ok {
			missing = append(missing, c.name+" ("+c.chinese+")")
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("missing column %s; found %s; expected comma-separated columns %s",
			strings.Join(missing, ", "), strings.Join(head.fields, ", "), requiredColumns())
	}
	rows.width = len(head.fields)
	return columns, nil
}

func canonicalColumn(cell string) string {
	cell = strings.ToLower(strings.TrimSpace(cell))
	for _, c := range messageColumns {
		if cell == c.chinese {
			return c.name
		}
	}
	return cell
}

func requiredColumns() string {
	var names []string
	for _, c := range messageColumns {
		if c.required {
			names = append(names, c.name)
		}
	}
	return strings.Join(names, ", ")
}

type messageReader struct {
	columns map[string]int
	opt     Options
	loc     *time.Location
	now     time.Time
	places  *placeFinder
}

func (m *messageReader) readAll(rows *rowReader, f *File) {
	for {
		row, ok := rows.read()
		if !ok {
			return
		}
		record, bad := Record{Line: row.line}, row.fault
		if bad == nil {
			record, bad = m.record(row)
		}
		f.take(record, bad, row.fields)
	}
}

// startsRow recognises the beginning of a row by an id and a time in their columns.
func (m *messageReader) startsRow(line string) bool {
	id, at := m.columns["id"], m.columns["posted_at"]
	fields := leadingFields(line, max(id, at)+1)
	if len(fields) <= max(id, at) {
		return false
	}
	key := strings.TrimSpace(fields[id])
	if key == "" || strings.ContainsAny(key, " \t") {
		return false
	}
	_, _, err := parseTime(fields[at], m.loc)
	return err == nil
}

func (m *messageReader) record(row row) (Record, *fault) {
	cell := func(name string) string {
		if i, ok := m.columns[name]; ok {
			return strings.TrimSpace(row.fields[i])
		}
		return ""
	}
	for _, c := range messageColumns {
		if bad := checkText(c.name, cell(c.name)); bad != nil {
			return Record{Line: row.line}, bad
		}
	}
	r := Record{
		Source: SourceMessageBoard, ExternalID: cell("id"), Line: row.line, ReporterKey: cell("user"),
		Subject: cell("subject"), Text: cell("text"), Channel: "MESSAGE_BOARD",
	}
	if m.opt.Source != "" {
		r.Source = m.opt.Source
	}
	if r.ExternalID == "" {
		return r, &fault{"id", "", "is empty; every message needs the board's number"}
	}
	if r.Subject == "" && r.Text == "" {
		return r, &fault{"text", "", "subject and text are both empty; nothing was said"}
	}
	var bad *fault
	if r.ReceivedAt, r.ReceivedPrecision, bad = timeField("posted_at", cell("posted_at"), m.loc, m.now); bad != nil {
		return r, bad
	}
	if r.Reply, bad = m.reply(cell("reply"), cell("replied_at"), r.ReceivedAt); bad != nil {
		return r, bad
	}
	if r.Supported, bad = votes("supported", cell("supported")); bad != nil {
		return r, bad
	}
	if r.Opposed, bad = votes("opposed", cell("opposed")); bad != nil {
		return r, bad
	}
	r.Kind = kindOf(r.Subject, r.Text)
	r.Place = m.places.find(r.Subject, r.Text)
	return r, nil
}

func (m *messageReader) reply(text, at string, received time.Time) (*Reply, *fault) {
	if text == "" && at == "" {
		return nil, nil
	}
	if at == "" {
		return nil, &fault{"replied_at", at, "a reply without a time; add the time of the reply or remove the reply"}
	}
	if text == "" {
		return nil, &fault{"reply", text, "a time of reply without a reply; add its text or remove the time"}
	}
	t, precision, bad := timeField("replied_at", at, m.loc, m.now)
	if bad != nil {
		return nil, bad
	}
	t, ok := answerTime(received, t, precision, m.loc)
	if !ok {
		return nil, &fault{"replied_at", at, "lies before posted_at; a reply cannot precede its message"}
	}
	return &Reply{Text: text, At: t, Precision: precision}, nil
}

func votes(field, value string) (int, *fault) {
	if value == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 0 {
		return 0, &fault{field, value, "expected a whole number, 0 or more"}
	}
	return int(n), nil
}
