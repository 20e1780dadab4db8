# The smallest Rack app there is.
run ->(env) { [200, { "content-type" => "text/plain" }, ["#{Time.now.utc.strftime("%H:%M:%S")} at #{env["PATH_INFO"]}\n"]] }
