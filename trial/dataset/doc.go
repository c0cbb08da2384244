// Package dataset commits to tables of patients' data. A row, a subject or chosen columns of rows
// can later be disclosed alone and proved; the rest stays secret. Two extracts can be compared by
// subject. A row or a subject can be erased without breaking any other proof.
//
// The package knows nothing of files and formats. Its caller gives it rows of cells in a canonical
// form, and decides what that form is. It does no I/O but through the interfaces it is given, and
// uses no clock and no chance but the random source it is given.
//
// # Notation
//
// H is SHA-256, || joins bytes, LF is a line feed, u32 and u64 are big-endian. T is the root of a
// tree as in RFC 6962 (2.1) whose leaf hashes are given: T of none is H of nothing, and an inner
// node is H(0x01 || left || right). Rows, columns and places are counted from 0.
//
// # The key
//
// A key is a tree of seeds of 32 bytes (Goldreich, Goldwasser, Micali). The root is random, and
//
//	child = H(bit || seed)        bit is one byte, 0x00 or 0x01
//
// A path is a sequence of bits; a number in it has its most significant bit first. These are all
// the leaves. None lies above another one.
//
//	salt of a row           0, dataset (64 bits), 00, row (40)
//	salt of a cell          0, dataset (64 bits), 00, row (40), column (b)
//	salt of a column        0, dataset (64 bits), 01, column (b)
//	salt of a subject       0, dataset (64 bits), 10, place (32)
//	secret of a subject     1, first 64 bits of H("trialproof/dataset/link/v1" LF || id)
//
// where dataset is the first 64 bits of H("trialproof/dataset/seed/v1" LF || extract || name), b
// is the least number of bits for all columns (0 for one), and place is that of the subject among
// the handles in ascending order. A dataset has salts of rows or, with cells, salts of cells. Only
// leaves are ever disclosed.
//
// # The commitment
//
// The leaf hash of a column's description, and the header's digest, are
//
//	column  = H(0x00 || H("trialproof/dataset/column/v1" LF) || salt || u32 column || text)
//	header  = T(column of each column)
//
// The salt is 32 zero bytes unless the descriptions are private. All other hashes begin with a
// context, which binds them to one dataset:
//
//	D       = H("trialproof/dataset/v1" LF || extract || header || u32 columns || u32 subject+1
//	            || cells || private || name)
//	X(kind) = H("trialproof/dataset/" || kind || "/v1" LF || D)
//
// where subject is the column with the subject's id, -1 if none, and cells and private are one byte,
// 0x00 or 0x01. The leaf hash of a row without and with a tree of cells, and that of a cell, are
//
//	row     = H(0x00 || X("row") || salt || u64 row || for each cell: length, cell)
//	row     = H(0x00 || X("row") || T(cell of each column) || u64 row)
//	cell    = H(0x00 || X("cell") || salt || u64 row || u32 column || cell)
//
// A length is an unsigned varint (LEB128, the shortest form). The subjects are in a Merkle map
// (package smap). A row whose subject's cell is empty has no subject. A subject has
//
//	token   = H("trialproof/dataset/token/v1" LF || secret || id)
//	handle  = H(X("handle") || token)                                         the key in the map
//	body    = H(X("subject") || salt || u64 rows || T(leaf of each of its rows, in order))
//
// What is logged, a Commitment, is canonical JSON (RFC 8785) with the members
//
//	cells, private                   true or false
//	columns, rowCount, subjectCount  how many
//	subject                          the column with the subject's id, -1 if none
//	extract                          32 hexadecimal digits
//	name                             text
//	header                           the header's digest
//	rows                             T(leaf of each row)
//	subjects                         the map's root
//
// Its id, H("trialproof/dataset/commitment/v1" LF || JSON), is in every disclosure, so that all its
// members are bound, the counts too.
//
// Example: under the key whose root is 32 zero bytes, the table DM of the extract ee00…00, with the
// columns USUBJID (the subject's) and SEX and the rows (01, F), (02, M), (01, F), without cells, not
// private, has the roots
//
//	header    10ed9a0551a47f1f98d3c8401ebbb28e8c077b5680f92094e569e72286a64187
//	rows      96f03f5cf69b78967dd1687805555a7659e9a1022c62a82c930b6c320569f828
//	subjects  0ad8b55f43808de1fea11bb2f63f555ca67e2d4368d54aa4ba75f90fa299a537
//	id        5ec06a16a696e4b50bbe763169dcd98611028222f6a0735b58a9d2dc2411b8ef
//
// # Disclosures
//
// A Disclosure, a SubjectProof and a Pair are canonical JSON and a line feed; their types here give
// the members. A value is a JSON string if it is UTF-8, and otherwise an array of one string, its
// base64. A hash or salt is 64 lower-case hexadecimal digits; a salt of zero is left out. A proof of
// several leaves of a tree of n has the roots of the largest subtrees that have none of them, from
// left to right; subtrees are those of RFC 6962. A disclosure of a subject has all its rows, each in
// full or, if it was erased, as its leaf hash, and proves them under both roots.
//
// # What a handle reveals
//
// The handle is a name for a subject in one dataset. Neither the id nor the handle in another
// dataset follows from it, since the secret is unknown. There are three openings, each of which
// reveals more:
//
//   - The handle alone. A third person who is shown it can check that a dataset has it, or not. A
//     proof of absence reveals at most one other handle, and the proof of presence its body: not the
//     number of rows, nor which they are, nor whether two handles of two datasets are one subject's.
//   - The token. Whoever has it computes the subject's handle in every dataset under the key, and so
//     recognises the subject in all of them, in proofs that he has and in those he sees later. It
//     cannot be taken back. It does not reveal the id, nor does it allow to try ids.
//   - The id and the secret. They prove that the handle was made for that id. The holder can forward
//     them. They reveal nothing of any other subject.
//
// The map gives one answer for a handle: no one can prove both that a subject is there and that it
// is not. But only the signer claims that a handle was made with the secret of the key, and that each
// row is with its subject. A signer who lies can make another handle for an id, in another dataset,
// with another secret; the proof of absence is then about a handle that was never used. A Pair shows
// that the subject's handle from the same token was in the one dataset and is not in the other. For
// rows that may be left under another handle, ask for the rows, or for the whole dataset and the key:
// they give the same roots again.
//
// # What is secret
//
// Whoever has the log learns names, extracts, counts, and whether there are trees of cells. Without
// the salt no value can be guessed: a salt has 256 bits and follows from no other salt. A disclosed
// row shows the leaf hashes beside its path, all of them salted. A disclosed cell shows the hashes of
// other cells, each with its own salt. Rows that are disclosed show their numbers; a subject's
// disclosure shows which rows are its. Column descriptions can be guessed unless they are private.
//
// Two disclosures of one dataset can be laid side by side: they show the same leaf hashes of
// neighbours, and so that both are of rows near each other. Two of different datasets have no hash in
// common, even if the rows are the same, but for the description of columns that are not private.
//
// The data without the key proves nothing: whoever has the table, but no salt, cannot tell whether it
// is the one that was committed to.
//
// # Erasure
//
// A key from which something was erased has, instead of the seeds on the path to it, the seeds beside
// the path: about one for each bit of the number of rows. From these nothing above or at what was
// erased can be computed. Then the row cannot be opened by this key file, even by its owner with the
// data in hand, and its leaf hash, which stays in the index, is a random number to all. An attacker
// who has the log, the index, all other rows and every seed that is left learns of an erased row that
// it was there, its number, and which other rows are of its subject. He cannot confirm a guess of its
// content, not even with the table from before in his hand.
//
//   - EraseRows and EraseSubject erase salts in one dataset. Forget erases a subject's secret: no
//     handle of it can be derived again. To erase a person, do the former in each dataset, then the
//     latter, and delete the rows from the tables.
//   - What others hold keeps its power: a recipient of a disclosure can show it again, and a copy of
//     the key file from before opens all that it opened. That every copy was replaced is a claim of
//     its owner. The package cannot prove it.
//   - Whoever has the key file and guesses an id can see that it was forgotten: no seed leads there.
//   - The index still says which rows were of one subject, without saying whose.
//
// # Files
//
// A key file is "trialproof/dataset/key/v1" LF, the tree from its root, and H of all before. A node is
// 0x00 (erased), or 0x01 and a seed, or 0x02, the child 0 and the child 1. It is written in one way
// only. It is as secret as the data. Replace its file as a whole when something was erased, and its
// backups with it.
//
// An index is, without gaps:
//
//	"trialproof/dataset/index/v1" LF
//	for each row       leaf hash, u32 subject, u40 before                           41 bytes
//	for each chunk     T of its 1024 rows' leaf hashes (the last may have fewer)    32 bytes
//	for each subject   handle, body, u64 rows, u64 last row; by handle              80 bytes
//	for each subject   u32 place in the above; by first appearance                   4 bytes
//	for each bucket    u64 place of its first subject, hash of its subtree          40 bytes
//	JSON               {"columns": [descriptions], "commitment": commitment}
//	u64                length of the JSON in bytes
//
// In a row's record subject counts from 1 in order of first appearance, 0 is none, and before is 1
// more than the number of the subject's row before this one, 0 if it is the first. There are 2^d
// buckets, one for each prefix of d bits of a handle, where d is the length in bits of the number of
// subjects less 8, at least 0.
package dataset
