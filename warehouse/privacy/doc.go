// Package privacy decides which cells of a published table must be hidden so that nobody can learn a count from 1 to 10, neither
// from the cell itself nor by subtraction from totals. It knows nothing of measures or databases: only counts in a grid.
//
//   - A count from 1 to 10 is hidden (Small). 0 is shown: that there is nothing is information of no person.
//   - Then more cells are hidden until every hidden one could be any of a range at least 11 wide, for all that the totals of rows,
//     columns and region trees tell (Grid.Hide). For each hidden cell there is a loop of hidden cells along which that much can be
//     shifted without any total changing; property tests solve the linear system of the totals to see that it is so.
//   - Hidden cells do not say whether they are small themselves or hidden for another's sake: that would narrow the range again.
package privacy

// Least is the smallest count above 0 that is shown, and the least width of the range in which a hidden count may lie.
const Least = 11

// Small reports whether a count must be hidden.
func Small(n int64) bool { return n > 0 && n < Least }

// SmallPart reports whether a part of a whole must be hidden: where the part or the rest is small.
func SmallPart(part, whole int64) bool { return Small(part) || Small(whole-part) }

// RoundTo is the step that counts in tables of raw counts are rounded to.
const RoundTo = 5

// Round rounds a count to a multiple of 5, halves up.
func Round(n int64) int64 { return (n + RoundTo/2) / RoundTo * RoundTo }
