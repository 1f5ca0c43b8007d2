DROP TABLE merchant;
