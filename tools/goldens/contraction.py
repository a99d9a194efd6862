"""Products of matrices and einsum. Elements are small multiples of an eighth, so that every sum is exact."""
from inputs import *

matmuls = [((4,), (4,)), ((4,), (4, 5)), ((3, 4), (4,)), ((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((3, 4), (2, 4, 5)), ((2, 3, 4), (2, 4, 5)), ((6, 1, 3, 4), (2, 4, 5)),
           ((4,), (2, 4, 5)), ((2, 3, 4), (4,)), ((1, 3, 4), (7, 4, 5)), ((3, 0), (0, 5)), ((0, 4), (4, 5)), ((3, 40), (40, 17)), ((2, 2, 3, 4), (2, 2, 4, 3))]
specifications = {
    "ij,jk->ik": [(3, 4), (4, 5)], "ij,jk->ki": [(3, 4), (4, 5)], "ij,jk": [(3, 4), (4, 5)], "ba": [(3, 4)], "ba,": [(3, 4), ()], "i,i->": [(7,), (7,)], "i,i": [(7,), (7,)], "i,i->i": [(7,), (7,)],
    "i,j->ji": [(3,), (4,)], "i,j": [(3,), (4,)], "i,j->": [(3,), (4,)], "ii": [(4, 4)], "ii->i": [(4, 4)], "ii->": [(4, 4)], "iii": [(3, 3, 3)], "iii->i": [(3, 3, 3)], "iji->j": [(3, 2, 3)],
    "iijj": [(2, 2, 3, 3)], "iijj->ij": [(2, 2, 3, 3)], "ii,i->i": [(3, 3), (3,)], "ii,jj->ij": [(3, 3), (2, 2)], "ij->": [(3, 4)], "ij->j": [(3, 4)], "ij->ji": [(3, 4)], "ijk->kj": [(2, 3, 4)],
    "bij,bjk->bik": [(2, 3, 4), (2, 4, 5)], "bhqd,bhkd->bhqk": [(2, 3, 4, 5), (2, 3, 6, 5)], "bqhd,bkhd->bhqk": [(2, 4, 3, 5), (2, 6, 3, 5)], "ijk,jil->kl": [(2, 3, 4), (3, 2, 5)],
    "ij,kl->": [(2, 3), (4, 5)], "ij,jk,kl->il": [(2, 3), (3, 4), (4, 5)], "i,ij,j->": [(3,), (3, 4), (4,)], "a,ab,abc->abc": [(2,), (2, 3), (2, 3, 4)], "ij,ij,ij->i": [(3, 4)] * 3,
    "...ij,...jk->...ik": [(2, 3, 4), (2, 4, 5)], "...ij,...jk": [(6, 1, 3, 4), (2, 4, 5)], "...ij,jk->...ik": [(2, 2, 3, 4), (4, 5)], "...,...": [(2, 3), (3,)], "i...->...i": [(2, 3, 4)], "i...": [(2, 3, 4)],
    "...i->...": [(2, 3)], "...ii->...i": [(2, 3, 3)], "...ii": [(2, 3, 3)], "i...j,j...->i...": [(2, 3, 4), (4, 3)], "ij,ij->ij": [(3, 1), (1, 4)], "ij,jk->ik": [(3, 4), (4, 5)],
    " i j , j k -> i k ": [(3, 4), (4, 5)], ",ij->ij": [(), (2, 3)], "Aa,aB->AB": [(3, 4), (4, 5)], "aB,Ba": [(3, 4), (4, 3)], "bA": [(3, 4)], "ij,ji->": [(3, 4), (4, 3)], "abcd,cd->ab": [(2, 3, 4, 5), (4, 5)], "abc,cbd->ad": [(2, 3, 4), (4, 3, 5)],
}


def operands(dtype, sizes):
    return tuple(some(dtype, *s, seed=n) for n, s in enumerate(sizes))


def cases():
    yield "np.matmul(x, y)", [operands(f32, sizes) for sizes in matmuls] + [operands(d, ((2, 3, 4), (4, 5))) for d in (f64, i32, i64, u32)] + [(some(i32, 3, 4), some(f64, 4, 5))]
    yield "np.matmul(np.swapaxes(x, -1, -2), y)", [operands(f32, ((2, 4, 3), (2, 4, 5)))]
    yield "np.matmul(x, np.swapaxes(y, -1, -2))", [operands(f32, ((3, 4), (2, 5, 4)))]
    for specification, sizes in specifications.items():
        yield f"np.einsum('{specification}', {', '.join('xyz'[:len(sizes)])})", [operands(f32, sizes)] + ([operands(i32, sizes)] if len(sizes) == 1 else [])
