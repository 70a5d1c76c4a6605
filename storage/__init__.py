"""Table and Queue Storage: the only room that knows rows, partitions, ETags and the storage libraries."""
