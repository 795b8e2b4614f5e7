// In browsers there are no folders: fetch the files and write a Dataset over them.
export {};
