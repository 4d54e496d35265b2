// What `auto` stands for. The rows of a named transport are for ranks that share the processors of one host; bench/tune
// prints such rows, and holds these against what it measures. Those of any transport follow from the cost formulas
// (`ringside list algorithms`): few rounds where messages are short, few bytes on the busiest link where they are long.
#include "measure/auto_choice.h"

#define KIB *UINT64_C(1024)
#define MIB *UINT64_C(1048576)

const struct auto_row auto_rows[] = {
    // tcp
    {"tcp", RS_ALLREDUCE, 2, 32 KIB, "recursive-doubling", 256 KIB},
    {"tcp", RS_ALLREDUCE, 2, 2 MIB, "ring", 512 KIB},
    {"tcp", RS_ALLREDUCE, 2, 8 MIB, "halving-doubling", 512 KIB},
    {"tcp", RS_ALLREDUCE, 2, AUTO_ANY_SIZE, "ring", 256 KIB},
    {"tcp", RS_ALLREDUCE, 4, 512 KIB, "tree", 256 KIB},
    {"tcp", RS_ALLREDUCE, 4, 2 MIB, "halving-doubling", 256 KIB},
    {"tcp", RS_ALLREDUCE, 4, AUTO_ANY_SIZE, "double-tree", 256 KIB},
    {"tcp", RS_ALLREDUCE, 8, 32 KIB, "tree", 256 KIB},
    {"tcp", RS_ALLREDUCE, 8, 128 KIB, "double-tree", 256 KIB},
    {"tcp", RS_ALLREDUCE, 8, 2 MIB, "halving-doubling", 128 KIB},
    {"tcp", RS_ALLREDUCE, 8, AUTO_ANY_SIZE, "double-tree", 512 KIB},
    // shm
    {"shm", RS_ALLREDUCE, 2, 32 KIB, "recursive-doubling", 256 KIB},
    {"shm", RS_ALLREDUCE, 2, 2 MIB, "ring", 128 KIB},
    {"shm", RS_ALLREDUCE, 2, 16 MIB, "double-tree", 512 KIB},
    {"shm", RS_ALLREDUCE, 2, AUTO_ANY_SIZE, "ring", 512 KIB},
    {"shm", RS_ALLREDUCE, 4, 16 KIB, "recursive-doubling", 256 KIB},
    {"shm", RS_ALLREDUCE, 4, 128 KIB, "two-shot", 256 KIB},
    {"shm", RS_ALLREDUCE, 4, 512 KIB, "halving-doubling", 256 KIB},
    {"shm", RS_ALLREDUCE, 4, 1 MIB, "two-shot", 512 KIB},
    {"shm", RS_ALLREDUCE, 4, 16 MIB, "tree", 512 KIB},
    {"shm", RS_ALLREDUCE, 4, AUTO_ANY_SIZE, "two-shot", 512 KIB},
    {"shm", RS_ALLREDUCE, 8, 16 KIB, "recursive-doubling", 256 KIB},
    {"shm", RS_ALLREDUCE, 8, 128 KIB, "tree", 256 KIB},
    {"shm", RS_ALLREDUCE, 8, 1 MIB, "halving-doubling", 256 KIB},
    {"shm", RS_ALLREDUCE, 8, AUTO_ANY_SIZE, "tree", 256 KIB},
    // any transport
    {NULL, RS_ALLREDUCE, AUTO_ANY_RANKS, 16 KIB, "recursive-doubling", 256 KIB},
    {NULL, RS_ALLREDUCE, AUTO_ANY_RANKS, 1 MIB, "halving-doubling", 256 KIB},
    {NULL, RS_ALLREDUCE, AUTO_ANY_RANKS, AUTO_ANY_SIZE, "ring", 256 KIB},
    {NULL, RS_REDUCE_SCATTER, AUTO_ANY_RANKS, 1 MIB, "pat", 256 KIB},
    {NULL, RS_REDUCE_SCATTER, AUTO_ANY_RANKS, AUTO_ANY_SIZE, "ring", 256 KIB},
    {NULL, RS_ALLGATHER, AUTO_ANY_RANKS, 1 MIB, "pat", 256 KIB},
    {NULL, RS_ALLGATHER, AUTO_ANY_RANKS, AUTO_ANY_SIZE, "ring", 256 KIB},
    {NULL, RS_BROADCAST, AUTO_ANY_RANKS, 1 MIB, "tree", 256 KIB},
    {NULL, RS_BROADCAST, AUTO_ANY_RANKS, AUTO_ANY_SIZE, "chain", 256 KIB},
    {NULL, RS_REDUCE, AUTO_ANY_RANKS, 256 KIB, "tree", 256 KIB},
    {NULL, RS_REDUCE, AUTO_ANY_RANKS, AUTO_ANY_SIZE, "chain", 256 KIB},
    {NULL, RS_ALLTOALL, AUTO_ANY_RANKS, 32 KIB, "bruck", 256 KIB},
    {NULL, RS_ALLTOALL, AUTO_ANY_RANKS, AUTO_ANY_SIZE, "pairwise", 256 KIB},
    {NULL, RS_ALLTOALLV, AUTO_ANY_RANKS, 32 KIB, "bruck", 256 KIB},
    {NULL, RS_ALLTOALLV, AUTO_ANY_RANKS, AUTO_ANY_SIZE, "pairwise", 256 KIB},
    {NULL, RS_SENDRECV, AUTO_ANY_RANKS, AUTO_ANY_SIZE, "ring", 256 KIB},
    {NULL, RS_PINGPONG, AUTO_ANY_RANKS, AUTO_ANY_SIZE, "direct", 256 KIB},
    {NULL, RS_STREAM, AUTO_ANY_RANKS, AUTO_ANY_SIZE, "direct", 256 KIB},
    {NULL, RS_EXCHANGE, AUTO_ANY_RANKS, AUTO_ANY_SIZE, "direct", 256 KIB},
};
const size_t auto_row_count = RS_ARRAY_LENGTH(auto_rows);
