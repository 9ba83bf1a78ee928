package importer

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// request is one service request of an Open311 GeoReport v2 answer.
type request struct {
	ID          scalar `json:"service_request_id" xml:"service_request_id"`
	Status      scalar `json:"status" xml:"status"`
	StatusNotes scalar `json:"status_notes" xml:"status_notes"`
	ServiceName scalar `json:"service_name" xml:"service_name"`
	ServiceCode scalar `json:"service_code" xml:"service_code"`
	Description scalar `json:"description" xml:"description"`
	Requested   scalar `json:"requested_datetime" xml:"requested_datetime"`
	Updated     scalar `json:"updated_datetime" xml:"updated_datetime"`
	Expected    scalar `json:"expected_datetime" xml:"expected_datetime"`
	Address     scalar `json:"address" xml:"address"`
	Lat         scalar `json:"lat" xml:"lat"`
	Long        scalar `json:"long" xml:"long"`
}

// scalar is a JSON string, number, boolean or null as text: cities write ids and coordinates either way.
type scalar string

// UnmarshalJSON accepts any scalar; an object or array is an error.
func (s *scalar) UnmarshalJSON(data []byte) error {
	switch {
	case bytes.Equal(data, []byte("null")):
		*s = ""
		return nil
	case data[0] == '"':
		return json.Unmarshal(data, (*string)(s))
	case data[0] == '{' || data[0] == '[':
		return errors.New("expected a plain value, found an object or a list")
	}
	*s = scalar(data)
	return nil
}

func (s scalar) String() string { return strings.TrimSpace(string(s)) }

// ReadOpen311 reads the answer to GET requests.json (a JSON array) or requests.xml of an Open311 GeoReport v2 server.
// name is the file or address it came from. Times with an offset are taken as written; others are local to
// Options.Location (default UTC: the standard asks for offsets, so a city that leaves them out needs --timezone).
//
// A request is Closed if its status is "closed"; its Reply then is the closing: updated_datetime with the status notes.
// Latitude and longitude both 0 mean that the place is missing, not a spot on the equator.
//
// Some cities export local times that lost their AM/PM. That is recognised (twelveHour) and no half day is invented:
// the times stay as written, with Day precision, and a closing that reads earlier than its request on the same day
// stands at the request's time.
func ReadOpen311(data []byte, name string, opt Options) (*File, error) {
	f := newFile(name, "service_request_id", data)
	f.Encoding = "UTF-8"
	body := bytes.TrimSpace(bytes.TrimPrefix(data, bom))
	elements, err := splitRequests(body)
	if err != nil {
		return nil, fmt.Errorf("read Open311 %s: %w", name, err)
	}
	r := &open311Reader{loc: opt.Location, now: opt.now(), source: opt.Source}
	if r.loc == nil {
		r.loc = time.UTC
	}
	if r.source == "" {
		r.source = "open311:" + sourceName(name)
	}
	r.twelveHour = twelveHour(elements, r.loc)
	r.readAll(elements, f)
	return f, nil
}

// sourceName is the host of an address, or a file's name without folder and extension.
func sourceName(name string) string {
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		return u.Host
	}
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	return strings.TrimSuffix(base, path.Ext(base))
}

// element is one request, or why it is none.
type element struct {
	request
	raw   []string
	fault *fault
}

func splitRequests(body []byte) ([]element, error) {
	if bytes.HasPrefix(body, []byte("<")) {
		return splitXML(body)
	}
	if !utf8.Valid(body) {
		return nil, errors.New("JSON must be UTF-8; ask the server for UTF-8 or convert the file")
	}
	var items []json.RawMessage
	if err := json.Unmarshal(body, &items); err != nil {
		return nil, fmt.Errorf("expected a JSON array of service requests (GeoReport v2 requests.json) or XML: %w", err)
	}
	if items == nil {
		return nil, errors.New("expected a JSON array of service requests, found null")
	}
	elements := make([]element, len(items))
	for i, item := range items {
		elements[i].raw = []string{string(item)}
		if err := json.Unmarshal(item, &elements[i].request); err != nil {
			elements[i].fault = &fault{"", "", "not a service request: " + err.Error()}
		} else if bytes.Equal(item, []byte("null")) {
			elements[i].fault = &fault{"", "null", "not a service request"}
		}
	}
	return elements, nil
}

func splitXML(body []byte) ([]element, error) {
	var doc struct {
		XMLName  xml.Name  `xml:"service_requests"`
		Requests []request `xml:"request"`
	}
	if err := xml.Unmarshal(body, &doc); err != nil {
		return nil, fmt.Errorf("expected GeoReport v2 XML with <service_requests>: %w", err)
	}
	elements := make([]element, len(doc.Requests))
	for i, r := range doc.Requests {
		elements[i] = element{request: r, raw: r.row()}
	}
	return elements, nil
}

// row is the request's fields in the order of the struct.
func (r *request) row() []string {
	all := []scalar{r.ID, r.Status, r.StatusNotes, r.ServiceName, r.ServiceCode, r.Description,
		r.Requested, r.Updated, r.Expected, r.Address, r.Lat, r.Long}
	row := make([]string, len(all))
	for i, s := range all {
		row[i] = s.String()
	}
	return row
}

// twelveHour reports whether the answer's times lost their AM/PM: none stands at midnight or after 12:59, and either
// there are so many (24 or more) that this is no chance, or a request reads as closed before it was made, the same day.
func twelveHour(elements []element, loc *time.Location) bool {
	times, backwards := 0, false
	for i := range elements {
		e := &elements[i]
		var at [2]time.Time
		for j, s := range []scalar{e.Requested, e.Updated} {
			t, precision, err := parseTime(s.String(), loc)
			if err != nil || precision == Day || hasOffset(s.String()) {
				continue
			}
			if h := t.In(loc).Hour(); h == 0 || h > 12 {
				return false
			}
			at[j] = t
			times++
		}
		if !at[0].IsZero() && !at[1].IsZero() && at[1].Before(at[0]) && sameDay(at[0], at[1], loc) {
			backwards = true
		}
	}
	return times >= 24 || backwards
}

func hasOffset(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

type open311Reader struct {
	source     string
	loc        *time.Location
	now        time.Time
	twelveHour bool
}

func (o *open311Reader) readAll(elements []element, f *File) {
	for i := range elements {
		e := &elements[i]
		record, bad := Record{Line: i + 1}, e.fault
		if bad == nil {
			record, bad = o.record(&e.request, i+1)
		}
		f.take(record, bad, e.raw)
	}
}

func (o *open311Reader) record(q *request, line int) (Record, *fault) {
	for _, value := range q.row() {
		if bad := checkText("", value); bad != nil {
			return Record{Line: line}, bad
		}
	}
	r := Record{
		Source: o.source, ExternalID: q.ID.String(), Line: line,
		Subject: q.ServiceName.String(), Text: q.Description.String(),
		Channel: "OPEN311", Address: strings.Join(strings.Fields(q.Address.String()), " "),
		CategoryCode: q.ServiceCode.String(),
	}
	if r.ExternalID == "" {
		return r, &fault{"service_request_id", "", "is empty; a request that has only a token yet has no number to be known by"}
	}
	if r.CategoryPath = nonEmpty(q.ServiceName.String(), q.ServiceCode.String()); r.CategoryPath == nil && r.Text == "" {
		return r, &fault{"service_name", "", "service and description are both empty; nothing was asked"}
	}
	r.Kind = kindOf(r.Subject, r.Text)
	var bad *fault
	if r.ReceivedAt, r.ReceivedPrecision, bad = o.time("requested_datetime", q.Requested.String()); bad != nil {
		return r, bad
	}
	if r.DueAt, bad = o.due(q.Expected.String()); bad != nil {
		return r, bad
	}
	if bad = o.status(q, &r); bad != nil {
		return r, bad
	}
	r.Lat, r.Lon, bad = coordinates(q.Lat.String(), q.Long.String())
	return r, bad
}

// nonEmpty is a path of one name, the first that is not empty; nil if all are.
func nonEmpty(names ...string) []string {
	if i := slices.IndexFunc(names, func(s string) bool { return s != "" }); i >= 0 {
		return []string{names[i]}
	}
	return nil
}

func (o *open311Reader) time(field, value string) (time.Time, Precision, *fault) {
	t, precision, bad := timeField(field, value, o.loc, o.now)
	if o.twelveHour && !hasOffset(value) {
		precision = Day
	}
	return t, precision, bad
}

// due may lie in the future, unlike all that a request has been through.
func (o *open311Reader) due(value string) (*time.Time, *fault) {
	if value == "" {
		return nil, nil
	}
	t, _, err := parseTime(value, o.loc)
	if err != nil {
		return nil, &fault{"expected_datetime", value, err.Error()}
	}
	return &t, nil
}

func (o *open311Reader) status(q *request, r *Record) *fault {
	switch status := strings.ToLower(q.Status.String()); status {
	case "open":
		return nil
	case "closed":
		r.Closed = true
	default:
		return &fault{"status", q.Status.String(), `expected "open" or "closed"`}
	}
	if q.Updated.String() == "" {
		return nil // closed, but when is not known
	}
	at, precision, bad := o.time("updated_datetime", q.Updated.String())
	if bad != nil {
		return bad
	}
	at, ok := answerTime(r.ReceivedAt, at, precision, o.loc)
	if !ok {
		return &fault{"updated_datetime", q.Updated.String(), "lies before requested_datetime; a request cannot be closed before it is made"}
	}
	r.Reply = &Reply{Text: q.StatusNotes.String(), At: at, Precision: precision}
	return nil
}

// coordinates returns none for absent ones and for 0, 0, which such exports write for "no place".
func coordinates(lat, long string) (*float64, *float64, *fault) {
	if lat == "" || long == "" {
		return nil, nil, nil
	}
	y, err := strconv.ParseFloat(lat, 64)
	if err != nil || !(y >= -90 && y <= 90) {
		return nil, nil, &fault{"lat", lat, "expected degrees from -90 to 90"}
	}
	x, err := strconv.ParseFloat(long, 64)
	if err != nil || !(x >= -180 && x <= 180) {
		return nil, nil, &fault{"long", long, "expected degrees from -180 to 180"}
	}
	if x == 0 && y == 0 {
		return nil, nil, nil
	}
	return &y, &x, nil
}
