-- Neovim opens a file, shows what the server finds in text that is not saved, and makes its first code action.
local answer = {}
vim.cmd('edit ' .. vim.env.CORSLINT_TEST_FILE)
local id = vim.lsp.start_client({
  name = 'corslint',
  cmd = { vim.env.CORSLINT_TEST_PYTHON, '-m', 'corslint', 'server' },
  root_dir = vim.fn.getcwd(),
})
vim.lsp.buf_attach_client(0, id)

local function wait(holds)
  assert(vim.wait(30000, holds, 20), 'the server said nothing')
end

wait(function() return #vim.diagnostic.get(0) > 0 end)
vim.api.nvim_buf_set_lines(0, 0, 0, false, { '// é, a line that is not saved' })
wait(function()
  local shown = vim.diagnostic.get(0)
  return #shown > 0 and shown[1].lnum == 1
end)
for _, shown in ipairs(vim.diagnostic.get(0)) do
  table.insert(answer, string.format('%d:%d %s', shown.lnum, shown.col, shown.message:match('^[^\n]*')))
end

local params = vim.lsp.util.make_range_params()
params.range = { start = { line = 0, character = 0 }, ['end'] = { line = 10, character = 0 } }
params.context = { diagnostics = {} }
local action = vim.lsp.buf_request_sync(0, 'textDocument/codeAction', params, 30000)[id].result[1]
vim.lsp.util.apply_workspace_edit(action.edit, 'utf-16')
wait(function() return #vim.diagnostic.get(0) == 0 end)
vim.list_extend(answer, vim.api.nvim_buf_get_lines(0, 0, -1, false))
vim.fn.writefile(answer, vim.env.CORSLINT_TEST_ANSWER)
vim.cmd('qa!')
