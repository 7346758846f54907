-- What Neovim before 0.11 lacks of what the settings in docs/editors.md use, as `:help vim.lsp.config()` says it works.
local known = {}
vim.lsp.config = function(name, settings) known[name] = settings end
vim.lsp.enable = function(name)
  vim.api.nvim_create_autocmd('FileType', {
    pattern = known[name].filetypes,
    callback = function(event)
      local at = vim.fn.fnamemodify(event.file, ':p:h')
      local root
      for _, marker in ipairs(known[name].root_markers) do
        local found = vim.fn.finddir(marker, at .. ';')
        if found == '' then found = vim.fn.findfile(marker, at .. ';') end
        if root == nil and found ~= '' then root = vim.fn.fnamemodify(found, ':p:h:h') end
      end
      local id = vim.lsp.start_client({ name = name, cmd = known[name].cmd, root_dir = root })
      vim.lsp.buf_attach_client(event.buf, id)
    end,
  })
end
