-- Neovim with the settings of docs/editors.md as its init.lua: what it shows for the file that it was started with.
if not vim.wait(30000, function() return #vim.diagnostic.get(0) > 0 end, 20) then
  vim.cmd('cq')
end
local shown = vim.diagnostic.get(0)[1]
local answer = { vim.bo.filetype, shown.source, tostring(shown.code), string.format('%d:%d', shown.lnum, shown.col) }
vim.fn.writefile(answer, vim.env.CORSLINT_TEST_ANSWER)
vim.cmd('qa!')
