package engine

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// clickhouse-go opens a connection by asking for the server's revision, reads that answer in the encoding of its own
// revision, and everything after it in the encoding of the revision that it was told. The engine writes revision 0 only.
// So that one question is answered here: in the encoding that the client expects, with revision 0.
var helloQuery = regexp.MustCompile(`(?i)^\s*SELECT\s+displayName\(\),\s*version\(\),\s*revision\(\),\s*timezone\(\)\s*;?\s*$`)

func isHello(q *request) bool {
	revision, err := strconv.ParseUint(q.protocolVersion, 10, 64)
	return err == nil && revision > 0 && strings.EqualFold(q.format, "Native") && helloQuery.MatchString(q.sql)
}

func (s *Server) answerHello(q *request, out *output) error {
	revision, err := strconv.ParseUint(q.protocolVersion, 10, 64)
	if err != nil {
		return fmt.Errorf("client_protocol_version: %w", err)
	}
	block := proto.NewBlock()
	for _, c := range []struct {
		name, kind string
		value      any
	}{
		{"displayName()", "String", displayName}, {"version()", "String", s.version},
		{"revision()", "UInt32", uint32(0)}, {"timezone()", "String", s.timezone},
	} {
		if err := block.AddColumn(c.name, column.Type(c.kind)); err != nil {
			return err
		}
		if err := block.Columns[len(block.Columns)-1].AppendRow(c.value); err != nil {
			return err
		}
	}
	var buffer chproto.Buffer
	if err := block.Encode(&buffer, revision); err != nil {
		return err
	}
	_, err = out.Write(buffer.Buf)
	return err
}
