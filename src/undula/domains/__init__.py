"""What undula knows of fields: readers, generators and figures of one field each."""
