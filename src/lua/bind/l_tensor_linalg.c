/* SPDX-License-Identifier: GPL-3.0-or-later */
/* l_tensor_linalg.c: tensor methods for linear systems, factors and spectra of matrices. */
#include "lua/bind/face.h"

static int t_solve(lua_State *L)
{
	return bl_lua_give_tensor(L, bl_linalg_solve(bl_lua_tensor(L, 1), bl_lua_tensor(L, 2)));
}

static int t_inverse(lua_State *L)
{
	return bl_lua_give_tensor(L, bl_linalg_inverse(bl_lua_tensor(L, 1)));
}

static int t_cholesky(lua_State *L)
{
	return bl_lua_give_tensor(L, bl_linalg_cholesky(bl_lua_tensor(L, 1)));
}

static int t_eigh(lua_State *L)
{
	bl_tensor *vectors = NULL, *values = bl_linalg_eigh(bl_lua_tensor(L, 1), &vectors);
	return bl_lua_give_tensors(L, 2, (bl_tensor *[]){ values, vectors });
}

static int t_svd(lua_State *L)
{
	bl_tensor *u = NULL, *vt = NULL, *s = bl_linalg_svd(bl_lua_tensor(L, 1), &u, &vt);
	return bl_lua_give_tensors(L, 3, (bl_tensor *[]){ u, s, vt });
}

const bl_lua_function bl_lua_tensor_linalg[] = {
	BL_LUA("solve", t_solve, "(b: tensor): tensor", "The solution x of t x = b; b is a vector or a matrix.",
	       "tensor{{2, 1}, {1, 3}}:solve(tensor{3, 4})"),
	BL_LUA("inverse", t_inverse, "(): tensor", "The inverse of a matrix.", "tensor{{2, 0}, {0, 4}}:inverse()"),
	BL_LUA("cholesky", t_cholesky, "(): tensor",
	       "The lower triangular L with t = L L^T, for a symmetric positive definite matrix.",
	       "tensor{{4, 2}, {2, 3}}:cholesky()"),
	BL_LUA("eigh", t_eigh, "(): tensor, tensor",
	       "Eigenvalues of a symmetric matrix, ascending, and eigenvectors as columns; only the values have gradients.",
	       "tensor{{2, 1}, {1, 2}}:eigh()"),
	BL_LUA("svd", t_svd, "(): tensor, tensor, tensor",
	       "U (M, K), S (K), Vt (K, N) with t = U diag(S) Vt, K = min(M, N), S descending; only S has gradients.",
	       "tensor{{3, 0}, {4, 5}}:svd()"),
	BL_LUA_END,
};
