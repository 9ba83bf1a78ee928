package groundwork

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
)

// AuditFaultKind is what is wrong with the audit.
type AuditFaultKind string

// The kinds of faults.
const (
	AuditChanged     AuditFaultKind = "CHANGED"      // an entry is not what was sealed
	AuditDeleted     AuditFaultKind = "DELETED"      // an entry that was sealed is gone
	AuditInserted    AuditFaultKind = "INSERTED"     // an entry was put among those of sealed transactions
	AuditSealForged  AuditFaultKind = "SEAL_FORGED"  // a seal was not made with the key behind the seal before it
	AuditSealMissing AuditFaultKind = "SEAL_MISSING" // a seal that was made is gone
	AuditOtherKey    AuditFaultKind = "OTHER_KEY"    // a seal was made with another key than the one given
)

// AuditFault names what is wrong and where.
type AuditFault struct {
	Kind  AuditFaultKind
	Seal  int64
	Entry int64 // 0 = the seal itself
}

func (f AuditFault) String() string {
	if f.Entry == 0 {
		return fmt.Sprintf("seal %d: %s", f.Seal, f.Kind)
	}
	return fmt.Sprintf("entry %d (seal %d): %s", f.Entry, f.Seal, f.Kind)
}

// AuditReport is what a verification found.
type AuditReport struct {
	Seals, Entries int64 // that were compared
	Unsealed       int64 // entries that wait for their seal: nothing vouches for them yet
	Head           AuditHead
	Faults         []AuditFault
}

// AuditCheck compares entries with their seals, seal by seal in their order.
type AuditCheck struct {
	key    []byte
	noted  map[int64]string
	last   AuditSeal
	report AuditReport
}

// NewAuditCheck begins a comparison with the seals' key and the heads that were noted earlier.
func NewAuditCheck(key []byte, noted ...AuditHead) *AuditCheck {
	c := &AuditCheck{key: key, noted: map[int64]string{}}
	for _, h := range noted {
		c.noted[h.N] = h.MAC
	}
	return c
}

// Seal takes the next seal with all entries that it names, and those of its transactions that no seal names.
func (c *AuditCheck) Seal(s AuditSeal, entries []AuditEntry) {
	for n := c.last.N + 1; n < s.N; n++ {
		c.fault(AuditSealMissing, n, 0)
	}
	c.seal(s)
	c.entries(s, entries)
	c.last = s
	c.report.Seals++
}

func (c *AuditCheck) seal(s AuditSeal) {
	noted, known := c.noted[s.N]
	delete(c.noted, s.N)
	switch {
	case !bytes.Equal(s.KeyID, AuditKeyID(c.key)):
		c.fault(AuditOtherKey, s.N, 0)
	case !hmac.Equal(s.MAC, s.mac(c.key, c.last.MAC)), known && noted != s.Head().MAC:
		c.fault(AuditSealForged, s.N, 0)
	}
}

func (c *AuditCheck) entries(s AuditSeal, entries []AuditEntry) {
	found := make(map[int64]AuditEntry, len(entries))
	for _, e := range entries {
		found[e.ID] = e
	}
	for i, id := range s.Entries {
		e, there := found[id]
		delete(found, id)
		if !there {
			c.fault(AuditDeleted, s.N, id)
			continue
		}
		c.report.Entries++
		digest := e.Digest()
		if end := (i + 1) * sha256.Size; end > len(s.Digests) || !bytes.Equal(digest[:], s.Digests[end-sha256.Size:end]) {
			c.fault(AuditChanged, s.N, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(found)) { // it came after its transaction was sealed
		c.fault(AuditInserted, s.N, id)
	}
}

func (c *AuditCheck) fault(kind AuditFaultKind, seal, entry int64) {
	c.report.Faults = append(c.report.Faults, AuditFault{Kind: kind, Seal: seal, Entry: entry})
}

// Report ends the comparison.
func (c *AuditCheck) Report() AuditReport {
	for _, n := range slices.Sorted(maps.Keys(c.noted)) {
		c.fault(AuditSealMissing, n, 0)
	}
	c.report.Head = c.last.Head()
	return c.report
}
