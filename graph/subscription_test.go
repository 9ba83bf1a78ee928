package graph_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/internal/ssetest"
)

// stream follows a subscription.
type stream struct {
	*ssetest.Stream
	t testing.TB
}

func (c caller) follow(document, lastEventID string) stream {
	c.f.t.Helper()
	body, err := json.Marshal(map[string]any{"query": document})
	require.NoError(c.f.t, err)
	req, err := http.NewRequestWithContext(c.f.t.Context(), http.MethodPost, c.f.url, strings.NewReader(string(body)))
	require.NoError(c.f.t, err)
	req.Header.Set("Content-Type", "application/json")
	for k, v := range c.headers {
		req.Header.Set(k, v)
	}
	if lastEventID != "" {
		req.Header.Set("Last-Event-ID", lastEventID)
	}
	return stream{ssetest.Open(c.f.t, req), c.f.t}
}

// next is the next event.
func (s stream) next() (r reply) {
	s.t.Helper()
	e, ok := s.Next()
	require.True(s.t, ok, "the stream has ended")
	require.Equal(s.t, "next", e.Name)
	r.body = []byte(e.Data)
	require.NoError(s.t, json.Unmarshal(r.body, &r))
	return r
}

// begun waits until the stream says from where it begins, which has an id.
func (s stream) begun() stream {
	s.t.Helper()
	for s.LastEventID == "" {
		e, ok := s.Block()
		require.True(s.t, ok && e.Name == "", "%+v", e)
	}
	return s
}

// asks asks for a root field of any kind; of a subscription, what its stream says first, if that is a refusal.
func (c caller) asks(kind, document string) reply {
	c.f.t.Helper()
	if kind != "Subscription" {
		return c.ask(document, nil)
	}
	s := c.follow(document, "")
	defer s.Close()
	for s.LastEventID == "" {
		e, ok := s.Block()
		require.True(c.f.t, ok)
		if e.Name == "next" {
			r := reply{body: []byte(e.Data)}
			require.NoError(c.f.t, json.Unmarshal(r.body, &r))
			return r
		}
	}
	return reply{}
}

const changed = `subscription { issueChanged { cursor issue { id title state version region { code } } } }`

// What happens is told to those who may see it, in order, and whoever breaks off goes on where it stopped.
func TestIssuesAreToldAsTheyChange(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	other := f.create("createRegion", "region", `code: "430200000000", level: PREFECTURE, name: "B市", parentId: "`+f.province+`"`)
	head := f.as("SUPERVISOR")
	head.headers["Groundwork-Region"] = f.city
	s := head.follow(changed, "").begun()

	issue := f.issue("Hole")
	first := s.next()
	require.Equal(t, issue, first.text(t, "issueChanged", "issue", "id"))
	require.Equal(t, "REGISTERED", first.text(t, "issueChanged", "issue", "state"))
	require.Equal(t, "430100000000", first.text(t, "issueChanged", "issue", "region", "code"))
	require.Equal(t, s.LastEventID, first.text(t, "issueChanged", "cursor"))
	f.done("DISPATCHED", "DISPATCHER", "dispatchIssue", issue, `unitId: "`+f.bureau+`"`)
	require.Equal(t, "DISPATCHED", s.next().text(t, "issueChanged", "issue", "state"), "as it then is, not as it was read before")
	s.Close()

	// While nobody listens: two steps of one issue, and a confidential one of another region.
	known := s.LastEventID
	f.done("IN_PROGRESS", "HANDLER", "acceptIssue", issue, "")
	said := f.as("CITIZEN").get(`mutation($r: ID!) { submitOpinion(input: {channel: HOTLINE, kind: COMPLAINT, subject: "Secret", text: "Secret", regionId: $r,
		confidentiality: CONFIDENTIAL}) { opinion { id } } }`, map[string]any{"r": other}).text(t, "submitOpinion", "opinion", "id")
	hidden := f.as("INTAKE").get(`mutation($o: ID!, $c: ID!) { registerIssue(input: {opinionIds: [$o], categoryId: $c}) { issue { id } } }`,
		map[string]any{"o": said, "c": f.category}).text(t, "registerIssue", "issue", "id")

	s = head.follow(changed, known)
	again := s.next()
	require.Equal(t, issue, again.text(t, "issueChanged", "issue", "id"))
	require.Equal(t, "IN_PROGRESS", again.text(t, "issueChanged", "issue", "state"))
	later := f.issue("Lamp")
	require.Equal(t, later, s.next().text(t, "issueChanged", "issue", "id"), "the confidential issue of another region is not told")

	// The system sees both; by the cursor as an argument, and narrowed to one issue.
	all := f.as("SYSTEM").follow(`subscription { issueChanged(after: "`+known+`", filter: {id: {in: ["`+hidden+`"]}}) { issue { id } } }`, "")
	require.Equal(t, hidden, all.next().text(t, "issueChanged", "issue", "id"))
	one := f.as("SYSTEM").follow(`subscription { issueChanged(after: "`+known+`", id: "`+later+`") { issue { title } } }`, "")
	require.Equal(t, "Lamp", one.next().text(t, "issueChanged", "issue", "title"))
}

func TestCursorsOfSubscriptionsAreExamined(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	for cursor, says := range map[string]string{
		"nonsense":                 "is no cursor of a subscription",
		"ZmVlZDoxOjI6MycgT1IgMT0x": "is none of this feed", // feed:1:2:3' OR 1=1
		"ZmVlZDo4OjQ6":             "has a form",           // feed:8:4:
		"ZmVlZDo5MDAwMDAwMDAwMDA6OTAwMDAwMDAwMDAwOg==": "is no cursor",             // padded
		"ZmVlZDo5MDAwMDAwMDAwMDAwOjkwMDAwMDAwMDAwMDA6": "lies ahead of the system", // feed:9000000000000:9000000000000:
	} {
		s := f.as("SYSTEM").follow(changed, cursor)
		r := s.next()
		require.Len(t, r.Errors, 1)
		require.Equal(t, "BAD_USER_INPUT", r.Errors[0].Extensions.Code, cursor)
		require.Contains(t, r.Errors[0].Message, says, cursor)
		e, ok := s.Next()
		require.True(t, ok)
		require.Equal(t, "complete", e.Name)
	}
}

func TestWorklistsAreToldAsTheyChange(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	const document = `subscription { worklistChanged { gone waiting { id state leadUnit { name } } } }`
	handler := f.as("HANDLER").follow(document, "").begun()
	issue := f.issue("Hole")
	f.done("DISPATCHED", "DISPATCHER", "dispatchIssue", issue, `unitId: "`+f.bureau+`"`)
	r := handler.next()
	for r.at(t, "worklistChanged", "waiting") == nil || len(r.at(t, "worklistChanged", "waiting").([]any)) == 0 {
		require.Equal(t, []any{issue}, r.at(t, "worklistChanged", "gone"), "registered, and not for the unit yet")
		r = handler.next()
	}
	require.Equal(t, "Road bureau", r.text(t, "worklistChanged", "waiting", 0, "leadUnit", "name"))
	f.done("REGISTERED", "HANDLER", "returnIssue", issue, `returnReason: NOT_OUR_DUTY, dutyList: "entry 9"`)
	// What was dispatched between the look at its registration and the reading of the list is told as waiting twice.
	for r = handler.next(); len(r.at(t, "worklistChanged", "waiting").([]any)) > 0; r = handler.next() {
		require.Equal(t, issue, r.text(t, "worklistChanged", "waiting", 0, "id"))
	}
	require.Equal(t, []any{issue}, r.at(t, "worklistChanged", "gone"))

	refused := f.as("ASSESSOR").follow(document, "").next()
	require.Equal(t, "FORBIDDEN", refused.Errors[0].Extensions.Code)
}

func TestNotificationsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{})
	issue := f.issue("Hole")
	supervisor := f.as("SUPERVISOR").follow(`subscription { notified { cursor notification { kind issue { id } } } }`, "").begun()
	f.done("CLOSED", "CITIZEN", "withdrawIssue", issue, `reason: "They asked me to", pressured: YES`)
	r := supervisor.next()
	require.Equal(t, "URGED_TO_WITHDRAW", r.text(t, "notified", "notification", "kind"))
	require.Equal(t, issue, r.text(t, "notified", "notification", "issue", "id"))
	require.Equal(t, supervisor.LastEventID, r.text(t, "notified", "cursor"))
}

func TestFreshnessIsTold(t *testing.T) {
	t.Parallel()
	f := newOffice(t, options{warehouse: true})
	s := f.as("ANALYST").follow(`subscription { measuresRefreshed { lsn committedAt } }`, "")
	before := s.next().text(t, "measuresRefreshed", "lsn")
	f.issue("Hole")
	require.NotEqual(t, before, s.next().text(t, "measuresRefreshed", "lsn"))

	without := newOffice(t, options{}).as("ANALYST").follow(`subscription { measuresRefreshed { lsn } }`, "").next()
	require.Equal(t, "UPSTREAM_UNAVAILABLE", without.Errors[0].Extensions.Code)
}
