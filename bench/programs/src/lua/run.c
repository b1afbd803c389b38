/* Lua as a program of the benchmarks: run(n) makes a state, runs the script below, and returns what that returns. CC0.
   What Lua takes from an operating system is missing, so that the module imports nothing. */
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

/* Files are only named by functions that the script does not call. */
FILE *const stdin = 0;
FILE *fopen(const char *restrict path, const char *restrict mode) { return 0; }
FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict file) { return 0; }
int fclose(FILE *file) { return 0; }
int ferror(FILE *file) { return 1; }
int feof(FILE *file) { return 1; }
int getc(FILE *file) { return EOF; }
size_t fread(void *restrict to, size_t size, size_t count, FILE *restrict file) { return 0; }
time_t time(time_t *result) { return 0; }

/* What the C library's own error stream is made of. */
size_t __stdio_write(FILE *file, const unsigned char *bytes, size_t count) { return count; }
off_t __stdio_seek(FILE *file, off_t offset, int whence) { return -1; }
int __stdio_close(FILE *file) { return 0; }

static const char script[] =
    "local n = ...\n"
    "local function fib(i) if i < 2 then return i end return fib(i - 1) + fib(i - 2) end\n"
    "local function sieve(limit)\n"
    "  local composite, count = {}, 0\n"
    "  for i = 2, limit do\n"
    "    if not composite[i] then\n"
    "      count = count + 1\n"
    "      for j = i * i, limit, i do composite[j] = true end\n"
    "    end\n"
    "  end\n"
    "  return count\n"
    "end\n"
    "local Account = {}\n"
    "Account.__index = Account\n"
    "function Account.new() return setmetatable({ balance = 0, log = {} }, Account) end\n"
    "function Account:deposit(amount)\n"
    "  self.balance = self.balance + amount\n"
    "  self.log[#self.log + 1] = string.format('%d:%x', amount, self.balance)\n"
    "end\n"
    "local function words(seed)\n"
    "  local list, state = {}, seed\n"
    "  for i = 1, 200 do\n"
    "    state = (state * 1103515245 + 12345) & 0x7fffffff\n"
    "    list[i] = string.rep(string.char(97 + state % 26), 1 + state % 7) .. state % 1000\n"
    "  end\n"
    "  table.sort(list, function(a, b) return a > b end)\n"
    "  local joined = table.concat(list, ' ')\n"
    "  local digits = 0\n"
    "  for number in joined:gmatch('%d+') do digits = digits + tonumber(number) end\n"
    "  return digits + #joined:gsub('[aeiou]+', '<%0>')\n"
    "end\n"
    "local function integral(steps)\n"
    "  local sum = 0.0\n"
    "  for i = 1, steps do local x = i / steps; sum = sum + math.sin(x) * math.sqrt(x) end\n"
    "  return math.floor(sum * 1000)\n"
    "end\n"
    "local sum = 0\n"
    "for round = 1, n do\n"
    "  local account = Account.new()\n"
    "  for i = 1, 300 do account:deposit(i * round % 97) end\n"
    "  sum = (sum * 31 + fib(18) + sieve(4000) + words(round) + integral(2000)\n"
    "    + #table.concat(account.log)) & 0x7fffffffffff\n"
    "end\n"
    "return sum\n";

__attribute__((export_name("run"))) int64_t run(int32_t n) {
    static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},
                                         {LUA_TABLIBNAME, luaopen_table},
                                         {LUA_STRLIBNAME, luaopen_string},
                                         {LUA_MATHLIBNAME, luaopen_math}};
    lua_State *state = luaL_newstate();
    for (unsigned i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        luaL_requiref(state, libraries[i].name, libraries[i].func, 1);
        lua_pop(state, 1);
    }
    if (luaL_loadbuffer(state, script, sizeof script - 1, "=script") != LUA_OK) __builtin_trap();
    lua_pushinteger(state, n);
    lua_call(state, 1, 1);
    int64_t result = lua_tointeger(state, -1);
    lua_close(state);
    return result;
}
