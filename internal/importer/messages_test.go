package importer

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"
)

var (
	shanghai = mustLoad("Asia/Shanghai")
	testNow  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	testOpt  = Options{Now: testNow}
)

const openHeader = "id,user,subject,posted_at,text,opposed,supported\n"

func readMessages(t *testing.T, csv string) *File {
	t.Helper()
	f, err := ReadMessages([]byte(csv), "test.csv", testOpt)
	require.NoError(t, err)
	require.Equal(t, f.Rows, len(f.Records)+len(f.Rejects)+f.Duplicates)
	return f
}

func ids(f *File) []string {
	var out []string
	for _, r := range f.Records {
		out = append(out, r.ExternalID)
	}
	return out
}

func TestReadMessagesAnswered(t *testing.T) {
	t.Parallel()
	f := readMessages(t, "id,user,subject,posted_at,text,reply,replied_at\r\n"+
		"7,A001,咨询A3区路灯,2025/4/9 9:32:09,\"第一行\r\n第二行，\"\"引号\"\"\",已修复,2025/5/1\r\n"+
		"8,A002,A市供水,2025-04-10 08:00,停水,,\r\n")
	require.Empty(t, f.Rejects)
	require.Len(t, f.Records, 2)
	require.Equal(t, Record{
		Source: SourceMessageBoard, ExternalID: "7", Line: 2, ReporterKey: "A001",
		Subject: "咨询A3区路灯", Text: "第一行\n第二行，\"引号\"", Channel: "MESSAGE_BOARD", Kind: Inquiry,
		ReceivedAt: time.Date(2025, 4, 9, 9, 32, 9, 0, shanghai), ReceivedPrecision: Second,
		Reply: &Reply{Text: "已修复", At: time.Date(2025, 5, 1, 0, 0, 0, 0, shanghai), Precision: Day},
		Place: Place{"西地省", "A市", "A3区"},
	}, f.Records[0])
	require.Equal(t, 4, f.Records[1].Line, "the line in the file, not the number of the row")
	require.Nil(t, f.Records[1].Reply)
	require.Equal(t, time.Date(2025, 5, 1, 0, 0, 0, 0, shanghai), f.ObservedUntil)
	require.Equal(t, "UTF-8", f.Encoding)
	require.Len(t, f.SHA256, 64)
}

func TestReadMessagesHeaders(t *testing.T) {
	t.Parallel()
	f := readMessages(t, "点赞数,留言详情,留言时间,留言主题,留言用户,留言编号,反对数,备注\n3,文,2025/1/2,题,U1,9,1,x\n")
	require.Empty(t, f.Rejects)
	require.Equal(t, []int{3, 1}, []int{f.Records[0].Supported, f.Records[0].Opposed})
	require.Equal(t, Day, f.Records[0].ReceivedPrecision)

	for csv, want := range map[string]string{
		"":                         "the file is empty",
		"level1,level2\na,b\n":     "missing column id (留言编号), user (留言用户), subject (留言主题), posted_at (留言时间), text (留言详情); found level1, level2",
		"id,user,subject,text\n":   "missing column posted_at (留言时间); found id, user, subject, text",
		"id,ID,user\n":             `column "id" stands twice`,
		"id,\"user\n1,2\n":         "header line 1: a quoted field is not closed",
		"id;user;subject;text\n":   "missing column id",
		"id,user,subject,posted\n": "posted_at",
	} {
		_, err := ReadMessages([]byte(csv), "x.csv", testOpt)
		require.ErrorContains(t, err, "read messages x.csv")
		require.ErrorContains(t, err, want)
	}
}

func TestReadMessagesEncodings(t *testing.T) {
	t.Parallel()
	plain := openHeader + strings.Repeat("1,U1,咨询A3区道路,2025/1/2 3:04:05,请问何时修好？𠮷,0,0\n", 1)
	want := readMessages(t, plain).Records

	withBOM := readMessages(t, "\uFEFF"+plain)
	require.Equal(t, "UTF-8 with BOM", withBOM.Encoding)
	require.Equal(t, want, withBOM.Records)

	gb, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(plain))
	require.NoError(t, err)
	got := readMessages(t, string(gb))
	require.Equal(t, "GB18030", got.Encoding)
	require.Equal(t, want, got.Records)

	_, err = ReadMessages([]byte("\xff\xfei\x00d\x00,\x00"), "utf16.csv", testOpt)
	require.ErrorContains(t, err, "neither UTF-8 nor GB18030")
}

// One damaged byte must not turn a UTF-8 file into GB18030 nonsense.
func TestReadMessagesDamagedUTF8(t *testing.T) {
	t.Parallel()
	f := readMessages(t, openHeader+
		"1,U1,希望修路,2025/1/2,这条道路坑坑洼洼希望尽快修好,0,0\n2,U2,坏\xe5字,2025/1/2,x,0,0\n3,U3,\x00,2025/1/2,x,0,0\n4,U4,好,2025/1/2,x,0,0\n")
	require.Equal(t, []string{"1", "4"}, ids(f))
	require.Equal(t, "UTF-8", f.Encoding)
	require.Equal(t, "subject", f.Rejects[0].Field)
	require.Contains(t, f.Rejects[0].Reason, "not UTF-8")
	require.Contains(t, f.Rejects[1].Reason, "NUL")
}

func TestReadMessagesRejects(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ row, field, reason string }{
		"no id":           {",U,s,2025/1/2,t,,,0,0", "id", "is empty"},
		"nothing said":    {"1,U, ,2025/1/2,,,,0,0", "text", "both empty"},
		"no time":         {"1,U,s,,t,,,0,0", "posted_at", "unreadable time; expected like"},
		"impossible day":  {"1,U,s,2025/2/30,t,,,0,0", "posted_at", "unreadable"},
		"year slip":       {"1,U,s,0205/2/3,t,,,0,0", "posted_at", "before 1970"},
		"future":          {"1,U,s,2026/1/3,t,,,0,0", "posted_at", "future"},
		"future reply":    {"1,U,s,2025/1/3,t,r,2027/1/1,0,0", "replied_at", "future"},
		"reply first":     {"1,U,s,2025/1/3 10:00,t,r,2025/1/3 9:59:59,0,0", "replied_at", "before posted_at"},
		"reply day first": {"1,U,s,2025/1/3 10:00,t,r,2025/1/2,0,0", "replied_at", "before posted_at"},
		"reply no time":   {"1,U,s,2025/1/3,t,r,,0,0", "replied_at", "without a time"},
		"time no reply":   {"1,U,s,2025/1/3,t,,2025/1/4,0,0", "reply", "without a reply"},
		"votes":           {"1,U,s,2025/1/3,t,,,0,many", "supported", "whole number"},
		"negative votes":  {"1,U,s,2025/1/3,t,,,-1,0", "opposed", "whole number"},
		"fields":          {"1,U,s,2025/1/3,t,with,comma,,,0,0", "", "the header has 9 columns"},
		"bare quote":      {`1,U,a 5" pipe,2025/1/3,t,,,0,0`, "", "not quoted"},
		"quote in quoted": {`1,U,"a "b" c",2025/1/3,t,,,0,0`, "", "quote"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := readMessages(t, "id,user,subject,posted_at,text,reply,replied_at,opposed,supported\n"+c.row+
				"\nlast,U,good,2025/1/5,t,,,0,0\n")
			require.Equal(t, []string{"last"}, ids(f), "reading goes on")
			require.Len(t, f.Rejects, 1)
			require.Equal(t, 2, f.Rejects[0].Line)
			require.Equal(t, c.field, f.Rejects[0].Field)
			require.Contains(t, f.Rejects[0].Reason, c.reason)
			require.NotEmpty(t, f.Rejects[0].Raw)
		})
	}
}

func TestReplyKnownToTheDay(t *testing.T) {
	t.Parallel()
	f := readMessages(t, "id,user,subject,posted_at,text,reply,replied_at\n1,U,s,2025/1/3 10:00:00,t,r,2025/1/3\n")
	require.Empty(t, f.Rejects)
	require.Equal(t, f.Records[0].ReceivedAt, f.Records[0].Reply.At, "not before the message")
	require.Equal(t, Day, f.Records[0].Reply.Precision)
}

func TestDuplicateIDs(t *testing.T) {
	t.Parallel()
	f := readMessages(t, openHeader+"1,U,s,2025/1/2,t,0,0\n1,U,s,2025/1/2,t,0,0\n1,U,s,2025/1/2,other,0,0\n")
	require.Equal(t, []string{"1"}, ids(f))
	require.Equal(t, "t", f.Records[0].Text)
	require.Equal(t, 1, f.Duplicates)
	require.Len(t, f.Rejects, 1)
	require.Equal(t, Reject{File: "test.csv", Line: 4, Field: "id", Value: "1",
		Reason: "this id stands earlier in the file with other content; the first one was kept",
		Raw:    []string{"1", "U", "s", "2025/1/2", "other", "0", "0"}}, f.Rejects[0])
}

// A lost quote costs the row it stands in, never the rows behind it.
func TestResynchronise(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damaged string
		lines   []int
	}{
		"never closed":             {"1,U,s,2025/1/2,\"text,0,0\n", []int{2}},
		"never closed, two lines":  {"1,U,s,2025/1/2,\"text\nmore text,0,0\n", []int{2}},
		"never opened":             {"1,U,s,2025/1/2,text\",0,0\n", []int{2}},
		"two in a row":             {"1,U,s,2025/1/2,\"text,0,0\n1b,U,s,2025/1/2,te\"xt,0,0\n", []int{2, 3}},
		"closed too early":         {"1,U,s,2025/1/2,\"te\"xt\",0,0\n", []int{2}},
		"too few fields, two line": {"1,U,s,2025/1/2,\"te\nxt\"\n", []int{2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := readMessages(t, openHeader+c.damaged+
				"2,U,s,2025/1/2,\"quoted\n\nover \"\"three\"\" lines\",0,0\n3,U,s,2025/1/2,plain,0,0\n4,U,s,2025/1/2,\"x, y\",0,0\n")
			require.Equal(t, []string{"2", "3", "4"}, ids(f))
			var lines []int
			for _, r := range f.Rejects {
				lines = append(lines, r.Line)
			}
			require.Equal(t, c.lines, lines)
			require.Equal(t, "quoted\n\nover \"three\" lines", f.Records[0].Text)
		})
	}
}

func TestWriteRejects(t *testing.T) {
	t.Parallel()
	f := readMessages(t, openHeader+",U,s,2025/1/2,\"a, b\",0,0\n")
	var out bytes.Buffer
	require.NoError(t, WriteRejects(&out, f.Rejects))
	require.Equal(t, "file,line,field,value,reason,row\n"+
		"test.csv,2,id,,is empty; every message needs the board's number,,U,s,2025/1/2,\"a, b\",0,0\n", out.String())
}

func TestSummarise(t *testing.T) {
	t.Parallel()
	f := readMessages(t, openHeader+"1,U,投诉A3区夜间施工噪音,2025/1/2,t,0,0\n2,U,投诉A3区夜间施工噪音,2025/1/5,u,0,0\n3,U,谢,bad,t,0,0\n")
	s := Summarise(f)
	require.Equal(t, []int{1, 3, 2, 1, 2, 1, 3}, []int{s.Files, s.Rows, s.Records, s.Rejected, s.Placed, s.Issues, s.Regions})
	require.Equal(t, map[Kind]int{Complaint: 2}, s.ByKind)
	require.Len(t, s.RejectReasons, 1)
	require.Contains(t, s.String(), "3 rows in 1 files: 2 records, 1 rejected")
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		subject, text string
		want          Kind
	}{
		{"咨询A市落户政策", "", Inquiry},
		{"请求解决停水", "投诉物业", Help},
		{"A3区夜间施工", "我要投诉，请问谁管", Complaint},
		{"举报并投诉", "", Report},
		{"建议增设站台", "感谢", Suggestion},
		{"感谢社区工作人员", "", Thanks},
		{"路灯不亮", "希望尽快修复，感谢！", Help},
		{"Suggestion: a bench at the stop", "please", Suggestion},
		{"Thank you for the new lights", "", Thanks},
		{"Street light out", "", Help},
	} {
		require.Equal(t, c.want, kindOf(c.subject, c.text), c.subject)
	}
}

func TestContentHash(t *testing.T) {
	t.Parallel()
	a := Record{ReporterKey: "U", Subject: "s", Text: "t", ReceivedAt: testNow}
	b := a
	b.Reply, b.Supported = &Reply{Text: "r", At: testNow}, 7
	require.Equal(t, a.ContentHash(), b.ContentHash(), "an answer does not make it another message")
	b.Subject, b.Text = "st", ""
	require.NotEqual(t, a.ContentHash(), b.ContentHash())
}

func FuzzReadMessages(f *testing.F) {
	f.Add([]byte(openHeader + "1,U,s,2025/1/2,\"t\n\",0,0\n2,\"U,s\n"))
	f.Add([]byte("\uFEFF" + openHeader + "1,\x00,\xe5,2025/1/2,\"\"\"\",0,0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ReadMessages(data, "fuzz.csv", testOpt)
		if err != nil {
			return
		}
		require.Equal(t, file.Rows, len(file.Records)+len(file.Rejects)+file.Duplicates)
		seen := map[string]bool{}
		for _, r := range file.Records {
			require.NotEmpty(t, r.ExternalID)
			require.False(t, seen[r.ExternalID], "ids are unique")
			seen[r.ExternalID] = true
			require.False(t, r.ReceivedAt.After(file.ObservedUntil))
			require.True(t, r.Reply == nil || !r.Reply.At.Before(r.ReceivedAt))
			require.True(t, len(r.Place) == 0 || r.Place.Code() != "")
		}
	})
}
